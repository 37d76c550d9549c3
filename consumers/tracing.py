"""Find the events of one chain on all topics, from the Odoo change to the last effect. Read only.

The topics are read until nothing new belongs to the chain: once for those that share the correlation or are called by the id, and again for what names
one of them as its cause. An action that nobody has begun has no event yet: its chain is that of the alert which it would follow. Most events are
passed over by their headers; where an event names several causes, the value is read. Events that cannot be read are told of; those of the trail itself
and of internal topics are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from confluent_kafka import Message

from consumers.by_hand import board
from consumers.core.policy import Policy
from consumers.core.trace import Node, belongs, causes_of, names_of, what_of
from infra.errors import Fatal, PoisonMessage
from infra.kafka.reader import read_to_end
from infra.kafka.states import missing
from infra.kafka.unread import Told, logged, unread
from infra.settings import KafkaSettings
from schemas import catalogue, codec
from schemas.shapes import names_of as records_of
from schemas.topics import TOPICS, Topic

NOT_TRACED = frozenset({"governance.trail.v1", "ops.clock.v1"})
ROUNDS = 6
_NAMING = frozenset({"ce_id", "ce_causationid", "ce_correlationid", "ce_subject"})
Progress = Callable[[str], object]


def trace(
    kafka: KafkaSettings,
    identity: str,
    topics: Iterable[Topic] | None = None,
    *,
    policy: Callable[[], Policy] | None = None,
    told: Told = logged,
    progress: Progress = str,
) -> list[Node]:
    """Every event of the chain that `identity` is part of: of an event, a correlation, or what `consumers.core.trace.NAMED` says.

    By `policy`, which is asked for only then, an action is known that nobody has begun. Raises `Fatal` where nothing has that id, `Transient` for a broker that fails.
    """
    declared = (
        [one for one in TOPICS.values() if one.public and one.name not in NOT_TRACED]
        if topics is None
        else list(topics)
    )
    found = _chain(kafka, identity, declared, told, progress)
    if not found and policy is not None:
        progress("reading what is pending")
        pending = board(kafka, policy(), _nobody).overridable(identity)
        found = [] if pending is None else _chain(kafka, pending.alert_id, declared, _nobody, progress)
    if not found:
        raise Fatal(
            f"nothing has the id {identity}",
            remedy="give the whole id of an event, a correlation, an action, alert, duty, freeze, proposal or letter: "
            "`burnline worklist`, `tail TOPIC --json` and `dlq list --json` show them",
        )
    return found


def _chain(
    kafka: KafkaSettings, identity: str, declared: Sequence[Topic], told: Told, progress: Progress
) -> list[Node]:
    lacking = set(missing(kafka, [one.name for one in declared]))
    nodes: dict[str, Node] = {}
    ids, correlations = {identity}, {identity}
    for turn in range(ROUNDS):
        before = len(ids), len(correlations)
        for topic in declared:
            if topic.name in lacking:
                continue
            progress(f"reading {topic.name} ({turn + 1})")
            several = any("caused_by" in {f["name"] for f in named.get("fields", ())} for named in _records(topic))
            for record in read_to_end(kafka, topic.name):
                if not (several or _may_belong(record, identity, ids, correlations)):
                    continue
                node = _node(record, topic, told if turn == 0 else _nobody)
                if node is not None and (node.is_called(identity) or belongs(node, ids, correlations)):
                    nodes[node.event_id] = node
                    ids.add(node.event_id)
                    if node.is_called(identity):  # of others not: what led to an alert beside this is another chain
                        correlations.add(node.correlation_id)
        if (len(ids), len(correlations)) == before:
            break
    return list(nodes.values())


def _records(topic: Topic) -> Iterable[dict[str, Any]]:
    return records_of(catalogue.load(topic.record)).values()


def _may_belong(record: Message, identity: str, ids: Collection[str], correlations: Collection[str]) -> bool:
    """Whether a record's headers leave it open that it belongs; those without headers are looked at.

    Actions, duties, freezes and proposals have their own id at the end of their key.
    """
    told = {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        for name, value in dict(record.headers() or ()).items()
        if name in _NAMING
    }
    if "ce_id" not in told:
        return True
    return (
        told["ce_id"] in ids
        or told.get("ce_causationid") in ids
        or told.get("ce_correlationid") in correlations
        or (told.get("ce_subject") or "").endswith(f":{identity}")
    )


def _nobody(_found: object) -> None:
    """Told once is enough."""


def _node(record: Message, topic: Topic, told: Told) -> Node | None:
    value = record.value()
    if value is None:
        return None
    try:
        event = codec.decode_as(topic.record, value)
    except PoisonMessage as error:
        told(unread(record, error))
        return None
    meta = event["meta"]
    return Node(
        meta["event_id"],
        meta["event_type"],
        meta["subject"],
        meta["recorded_at"],
        meta["correlation_id"],
        causes_of(event),
        record.topic() or "",
        record.partition() or 0,
        record.offset() or 0,
        what_of(event),
        names_of(event),
    )
