"""What a topic promises, in sentences: when events come, in which order, and how often. It follows from who publishes, and how."""

from __future__ import annotations

from burnline.docs.model import has_history, state_of
from schemas.topics import DataClass, Topic

WHEN = {
    "capture": "Captured from Odoo, soon after a change is committed; a deletion of which no hint came is found by the next sweep. "
    "The first run publishes every record once, with `meta.mode` `snapshot`. A change that makes no difference publishes nothing.",
    "webhooks": "Taken in by the webhook server, as senders deliver.",
    "streams": "Derived by the streams, when an event or the clock moves the subject.",
    "clock": "Written by the clock, once per period and partition; after a gap it catches up in order.",
    "actions": "Written by the action runner, at every step of an action.",
    "trail": "Written by the keeper of the audit trail, once for each event that somebody may have to answer for.",
    "letters": "Written by the watch over dead letters, when the first of a kind comes, and by the tenfold.",
    "operator": "Written by a person at the command line, who overrides it.",
    "governor": "Written by the governor, when the policy, an alert, an approval or the clock asks for it.",
    "assist": "Written by the assistant, where it has something to propose.",
}
"""When a publisher writes."""
EXCEPTIONS = {"ops.dead-letter.v1": "Written by whatever part of Burnline meets a record that it cannot handle."}
"""Topics that their publishers write on another occasion."""
TRANSACTIONAL = frozenset({"capture", "streams", "clock", "governor", "letters", "trail"})
"""Publishers whose events and progress are one transaction."""


def when(topic: Topic) -> str:
    """When events come."""
    return EXCEPTIONS.get(topic.name) or " ".join(WHEN[publisher] for publisher in topic.publishers)


def end(topic: Topic) -> str:
    """That the topic ends, when, and what to read instead; nothing where it does not."""
    told = topic.deprecation
    if told is None:
        return ""
    return f"Deprecated since {told.since}: written to until {told.sunset}. Read {told.successor} instead."


def summary(topic: Topic) -> str:
    """What the topic is about, and that it ends, where it does."""
    return f"{state_of(topic)['doc']} {end(topic)}".rstrip()


def lines(topic: Topic) -> list[str]:
    """What a subscriber can rely on: order, repeats, deletion, people."""
    found = [_order(topic), _repeats(topic)]
    if topic.compacted:
        found.append(
            "The topic is compacted: reading it from the beginning gives at least the latest record of every key. A record without a value is a "
            "tombstone: its subject was erased, and what you keep of it must go too."
        )
    if "deleted" in topic.verbs:
        found.append("A deletion in the source is no tombstone: it is an event whose `current` is null.")
    if topic.data_class == DataClass.PERSONAL:
        found.append(
            "It holds what is about people: keep no more of it than you need, and no longer. The class of each field stands below."
        )
    return found


def _order(topic: Topic) -> str:
    if topic.publishers == ("capture",):
        order = "in the order of `meta.version`, which grows by one"
    elif "webhooks" in topic.publishers and has_history(topic):
        order = "in the order in which they came in; where senders delay or repeat messages, `meta.occurred_at` tells what is newer"
    else:
        order = "in the order in which they were written"
    return f"Events of one key are in one partition, {order}. Between keys there is no order."


def _repeats(topic: Topic) -> str:
    written = (
        "Written in transactions: with `isolation.level=read_committed` you see each event, and see it on the topic once."
        if TRANSACTIONAL.issuperset(topic.publishers)
        else "Read with `isolation.level=read_committed`. Nothing is lost, but an event may stand on the topic twice, under the same `meta.event_id`."
    )
    return f"{written} You may *handle* one twice, when you crash between handling and committing: let `meta.event_id` tell."
