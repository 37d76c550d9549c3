"""Topics as they are now, held against what was promised of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from schemas.gate.finding import UNRELEASED, Finding
from schemas.released import Index, ReleasedTopic
from schemas.successions import Succession
from schemas.topics import Topic


def promised(topic: Topic) -> ReleasedTopic:
    """What a topic promises to its subscribers."""
    sunset = topic.deprecation.sunset if topic.deprecation else None
    return ReleasedTopic(topic.name, topic.record, topic.key, topic.public, sunset)


def is_promised(topic: ReleasedTopic, topics: Mapping[str, Topic], today: date) -> bool:
    """Whether anybody may still rely on a topic: it is declared, or its sunset has not come."""
    return topic.name in topics or (topic.public and (topic.sunset is None or today < topic.sunset))


def changed(topics: Mapping[str, Topic], index: Index, today: date) -> Iterator[Finding]:
    """Topics that are no longer what was promised."""
    for was in index.topics.values():
        now = topics.get(was.name)
        if now is None:
            if is_promised(was, topics, today):
                until = f"promised until {was.sunset}" if was.sunset else "promised without an end"
                fix = "put it back with a `deprecation`, release that, and take it out after its sunset"
                sentence = f"the topic {was.name} is gone, and was {until}: its subscribers would wait for ever"
                yield Finding("vanished topic", was.name, sentence, fix)
            continue
        major = "put it back; what has to change gets a new major: a new topic, and the old one deprecated"
        if now.key != was.key:
            sentence = (
                f"the key of {was.name} changed from `{was.key}` to `{now.key}`: an entity's new events would stand on other "
                "partitions than its old ones, in no order with them, and compaction would keep both"
            )
            yield Finding("changed key", was.name, sentence, major)
        if now.record != was.record:
            sentence = f"{was.name} held {was.record} and now holds {now.record}: no subscriber expects that"
            yield Finding("changed record", was.name, sentence, major)
        if was.public and not now.public:
            sentence = f"{was.name} was public and is now internal: its subscribers lose the promise they rely on"
            yield Finding("changed class", was.name, sentence, major)
        if was.sunset and now.deprecation and now.deprecation.sunset < was.sunset:
            sentence = f"{was.name} was promised until {was.sunset}, and is now to end on {now.deprecation.sunset}"
            yield Finding("earlier sunset", was.name, sentence, "keep the day that was announced, or a later one")


def unfinished(topics: Mapping[str, Topic], successions: Iterable[Succession]) -> Iterator[Finding]:
    """Majors that live side by side without an end, or without events on both."""
    told = {(succession.old.name, succession.new.name) for succession in successions}
    for name, topic in topics.items():
        stem, _, major = name.rpartition(".v")
        later = f"{stem}.v{int(major) + 1}" if major.isdecimal() else ""
        end = topic.deprecation
        if end is None:
            if later in topics:
                fix = f"give {name} a `deprecation`: since when, until when, and {later} as its successor"
                yield Finding("unfinished succession", name, f"{later} replaces {name}, which has no end", fix)
        elif end.successor not in topics or (name, end.successor) not in told:
            fix = "declare the successor, and a `Succession` between the two in `schemas/successions.py`"
            sentence = f"{name} is deprecated for {end.successor}, and nothing tells the events of the one on the other"
            yield Finding("unfinished succession", name, sentence, fix)
        elif end.sunset <= end.since:
            fix = "give subscribers the time to move"
            yield Finding("unfinished succession", name, f"{name} ends on {end.sunset}, before it is announced", fix)


def unreleased(topics: Mapping[str, Topic], index: Index) -> Iterator[Finding]:
    """Topics that promise something else than what was released, or that nobody was promised."""
    for topic in topics.values():
        if index.topics.get(topic.name) != promised(topic):
            sentence = f"the topic {topic.name} is not what was released, or was never released"
            yield Finding(UNRELEASED, topic.name, sentence, "run `burnline schemas release`")
