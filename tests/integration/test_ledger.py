"""The ledger on a compacted topic, on a real broker: what the cleaner takes away changes nothing of what was done, decided or awaited."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.actions import execution, journal, overridden
from consumers.actions.journal import read_ledger
from consumers.actions.policy import load_policy
from consumers.core.action_events import ACTIONS, action_event
from consumers.core.overrides import Overridable, override
from consumers.core.plan import plan
from consumers.core.policy import Policy
from infra.kafka import topics
from infra.kafka.carry_over import Carried, carry_over
from infra.kafka.changes import Allowance
from infra.kafka.clients import producer
from infra.kafka.compaction import SEGMENT_SECONDS, eagerly_compacted
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas import codec
from schemas.records import Action, Override
from schemas.rekeyed import REKEYED
from schemas.topics import Topic
from tests.support.actions import Firm, acting, hook, wait_for
from tests.support.governing import raised, rule

pytestmark = pytest.mark.kafka
NOW = datetime(2026, 3, 30, 9, 0, tzinfo=UTC)


@pytest.fixture
def own(kafka: KafkaSettings, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Topic:
    """The actions of this test alone, in one partition."""
    made = replace(ACTIONS, name=f"{topic_prefix}actions", partitions=1)
    topics.apply(kafka, topics.plan(kafka, [made]), [made])
    for module in (journal, execution, overridden):
        monkeypatch.setattr(module, "ACTIONS", made)
    return made


def records(kafka: KafkaSettings, own: Topic) -> list[tuple[str, Action]]:
    """Key and content of everything that is still in the log."""
    found = [record for record in read_to_end(kafka, own.name) if record.value() is not None]
    return [((r.key() or b"").decode(), codec.decode(r.value() or b"").value["current"]) for r in found]


def compacted(kafka: KafkaSettings, own: Topic) -> None:
    """Return once the cleaner left one record of each key."""
    writer = EventWriter(producer(kafka))
    with eagerly_compacted(kafka, [own.name]):
        deadline = time.monotonic() + 120
        while max(Counter(key for key, _ in records(kafka, own)).values()) > 1:
            assert time.monotonic() < deadline, "the cleaner did not come"
            time.sleep(SEGMENT_SECONDS + 0.2)
            writer.send_bytes(own.name, b"closes the segment", None)
            writer.flush()


def decision(action: Action, wanted: Override, policy: Policy, by: str) -> Any:
    subject = Overridable(
        action["action_id"], action["kind"], action["policy"], action["alert_id"], action["target"], action["owner"],
        action["attempt"], "", None, action["alert_id"],
    )  # fmt: skip
    return override(subject, wanted, policy, reason="called the client", by=by, at=NOW)


def test_a_compacted_ledger_does_nothing_twice_and_forgets_nothing(kafka, own, receiver):
    firm = Firm(kafka)
    config = firm.policy(hook(receiver, "/a"))
    config["actions"]["rules"][0]["dual_control"] = True
    policy, writer = load_policy(config), EventWriter(producer(kafka))
    done, awaited, given_up, skipped = events = [firm.alert() for _ in range(4)]
    settings = {"schedule": (3600.0,), "timeout": 30.0}

    def steps(event: Any) -> list[Action]:
        return [step for _, step in records(kafka, own) if step["alert_id"] == event["current"]["alert_id"]]

    def ends_as(event: Any, status: str) -> Action:
        firm.publish(event)
        return wait_for(lambda: [step for step in steps(event) if step["status"] == status])[-1]

    with acting(firm.settings(**settings), config):
        ends_as(done, "succeeded")
        receiver.answers["/a"] = [(503, {})] * 2
        ends_as(awaited, "failed")
        asked = ends_as(skipped, "failed")
        first = decision(asked, "skipped", policy, "ann")
        second = {**first, "current": {**first["current"], "status": "overridden", "confirmed_by": "bob"}}
        second["meta"] = {**first["meta"], "subject": f"burnline:override:{asked['action_id']}"}
        writer.send(own, first)
        writer.send(own, second)
        writer.flush()
        receiver.answers["/a"] = [(429, {"Retry-After": "90000"})]
        ends_as(given_up, "abandoned")
    before, log, seen = read_ledger(kafka, policy), records(kafka, own), len(receiver.seen)

    compacted(kafka, own)

    after = records(kafka, own)
    assert len(after) < len(log)
    assert Counter(status["status"] for _, status in after) == {
        "succeeded": 1, "failed": 2, "abandoned": 1, "override_requested": 1, "overridden": 1,
    }  # fmt: skip
    assert read_ledger(kafka, policy) == before
    with acting(firm.settings(group=f"again-{firm.id}", **settings), config):  # every alert from the beginning
        firm.publish(last := firm.alert())
        wait_for(lambda: [step for step in steps(last) if step["status"] == "succeeded"])
    assert len(receiver.seen) == seen + 1, "nothing was sent again; what waits for its next attempt still waits"
    assert {steps(event)[-1]["status"] for event in events if event is not awaited} == {
        "succeeded", "abandoned", "overridden",
    }  # fmt: skip


def test_an_older_topic_is_carried_over_and_its_decisions_outlive_the_cleaner(kafka, topic_prefix, monkeypatch):
    old = replace(ACTIONS, name=f"{topic_prefix}old", partitions=1, compacted=False, extra={})
    topics.apply(kafka, topics.plan(kafka, [old]), [old])
    monkeypatch.setattr(journal, "ACTIONS", old)
    policy = Policy((rule(),))
    [planned] = plan(raised(), policy)
    requested, attempted = (
        action_event(planned, status, n, NOW) for n, status in enumerate(("requested", "attempted"))
    )
    said = decision(requested["current"], "done_by_hand", policy, "ann")
    said["meta"]["subject"] = requested["meta"]["subject"]  # as it was before
    writer = EventWriter(producer(kafka))
    for event in (requested, said, attempted):  # a runner that had not read the decision yet
        writer.send(old, event)
    writer.flush()

    rekeyed = replace(REKEYED[0], topic=old)
    assert carry_over(kafka, rekeyed) == Carried(told=1, there=2)
    assert carry_over(kafka, rekeyed) == Carried(there=1), "its own copy"
    new = replace(old, compacted=True)
    allow = Allowance(data_loss=frozenset({old.name}), prune=True)
    topics.apply(kafka, topics.plan(kafka, [new], allow=allow), [new])
    compacted(kafka, new)

    assert [(key.split(":")[1], step["status"]) for key, step in records(kafka, new)] == [
        ("action", "attempted"),
        ("override", "overridden"),
    ]
    assert set(read_ledger(kafka, policy).ended) == {planned.action_id}
