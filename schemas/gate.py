"""The gate: every schema and topic as it is now, held against everything that was ever released. Pure but for the files it reads.

Rules
- Records of a public topic are compared both ways with all their releases (FULL_TRANSITIVE), others backward (BACKWARD_TRANSITIVE).
- What differs from its newest release in more than words is *unreleased*, and must be released before it is written.
- A frozen file that changed is found by its fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from schemas import catalogue
from schemas.compatibility import Clash, Direction, clashes
from schemas.errors import Fatal
from schemas.flaws import flaws
from schemas.freezing import content_of, parsed, promise_of, shape_of
from schemas.released import INDEX, Index, Release, ReleasedTopic, carries
from schemas.topics import Topic

UNRELEASED = "unreleased"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be: what kind, of what, in a sentence, and what to do.

    `versions` are the releases it breaks, by record. Only what is `unreleased` may be released.
    """

    kind: str
    subject: str
    sentence: str
    fix: str
    versions: Mapping[str, tuple[int, ...]]


def examine(
    topics: Mapping[str, Topic], index: Index, *, avro: Path, released: Path, today: date
) -> tuple[Finding, ...]:
    """Everything that is wrong with the schemas of a folder and with these topics; none when all is well.

    Raises `Fatal` for a file that is no schema.
    """
    damaged = tuple(damages(index, released))
    if damaged:
        return damaged  # what is held against a damaged release would only mislead
    current = {name: parsed(schema) for name, schema in catalogue.travelling(topics.values(), avro).items()}
    wrong = (
        *(Finding("flaw", name, flaw.sentence, flaw.fix, {}) for name in current for flaw in flaws(current[name])),
        *breaks(current, topics, index),
        *vanished(current, topics, index, today),
        *changed_topics(topics, index, today),
    )
    said = {name for finding in wrong for name in (finding.subject, *finding.versions)}
    return *wrong, *(finding for finding in unreleased(current, topics, index) if finding.subject not in said)


def damages(index: Index, folder: Path) -> Iterator[Finding]:
    """Where frozen files and their index disagree."""
    known = {folder / INDEX}
    for record, versions in index.releases.items():
        for release in versions:
            known.add(release.path)
            if why := _damage(release):
                fix = "restore it from version control; what was released stays as it is, a change is a new release"
                yield Finding("edited release", record, f"{release} {why}", fix, {record: (release.number,)})
        if [release.number for release in versions] != list(range(1, len(versions) + 1)):
            sentence = f"the versions of {record} in {INDEX} are not 1 to {len(versions)}, in order"
            yield Finding("edited release", record, sentence, "restore the index from version control", {})
    for one, other in pairwise(sorted(_all(index), key=lambda release: release.wire_id)):
        if one.wire_id == other.wire_id:
            sentence = f"the number {one.wire_id} was given twice: to {one} and to {other}"
            fix = "take the release that nobody has seen yet back, and release again: numbers are for ever"
            yield Finding("number given twice", other.record, sentence, fix, {})
    for path in sorted(set(folder.rglob("*.*")) - known):
        if path.is_file():
            sentence = f"{path.relative_to(folder)} is not in {INDEX}"
            yield Finding("stray file", path.parent.name, sentence, "delete it, or restore the index", {})


def taken_back(before: Index, now: Index) -> Iterator[Finding]:
    """Releases of an earlier state of the index that are not the same any more, though their files may agree with it."""
    for release in _all(before):
        versions = now.releases.get(release.record, ())
        same = [(r.wire_id, r.content) for r in versions if r.number == release.number]
        if same != [(release.wire_id, release.content)]:
            sentence = (
                f"{release} is not what it was when it was released: its file or its entry in {INDEX} was replaced"
            )
            fix = "restore both from version control; what was released stays as it is, a change is a new release"
            yield Finding("edited release", release.record, sentence, fix, {release.record: (release.number,)})


def _damage(release: Release) -> str:
    if not release.path.is_file():
        return f"has lost its file {release.path.name}"
    if content_of(release.path.read_bytes()) != release.content:
        return "was edited: its file is not the one that was frozen"
    try:
        found = shape_of(release.schema)
    except Fatal as error:
        return f"is no schema: {error}"
    return "" if found == release.shape else f"has another shape than {INDEX} says"


def _all(index: Index) -> Iterator[Release]:
    for versions in index.releases.values():
        yield from versions


def breaks(current: Mapping[str, Any], topics: Mapping[str, Topic], index: Index) -> Iterator[Finding]:
    """Every incompatible change of a schema, once, with all the releases it breaks."""
    found: dict[Clash, dict[Direction, dict[str, list[int]]]] = {}
    for record, schema in current.items():
        directions = list(Direction) if is_public(record, topics, index) else [Direction.BACKWARD]
        for release in index.releases.get(record, ()):
            old = parsed(release.schema)
            for direction in directions:
                for clash in clashes(old, schema, direction):
                    by_record = found.setdefault(clash, {}).setdefault(direction, {})
                    by_record.setdefault(record, []).append(release.number)
    for clash, broken in found.items():
        versions = {record: tuple(numbers) for by_record in broken.values() for record, numbers in by_record.items()}
        harms = " and ".join(_harm(clash, direction, by_record) for direction, by_record in broken.items())
        yield Finding(clash.kind, next(iter(versions)), f"{clash.change}: {harms}", clash.fix, versions)


def is_public(record: str, topics: Mapping[str, Topic], index: Index) -> bool:
    """Whether a record travels on a topic with a promise, now or in a release."""
    promises: Iterable[Topic | ReleasedTopic] = (*topics.values(), *index.topics.values())
    return any(topic.public and carries(topic.record, record) for topic in promises)


def _harm(clash: Clash, direction: Direction, broken: Mapping[str, list[int]]) -> str:
    (record, numbers), *more = broken.items()
    plural = "s" if len(numbers) > 1 else ""
    which = f"version{plural} {_listed(numbers)} of {record}"
    if more:
        which += f" (and {len(more)} more record{'s' if len(more) > 1 else ''} that hold it)"
    if direction is Direction.BACKWARD:
        return f"programs with the new schema {clash.harm} what was written with {which}"
    return f"subscribers that still read with {which} {clash.harm} what is written from now on"


def _listed(numbers: list[int]) -> str:
    *most, last = map(str, numbers)
    return f"{', '.join(most)} and {last}" if most else last


def vanished(current: Mapping[str, Any], topics: Mapping[str, Topic], index: Index, today: date) -> Iterator[Finding]:
    """Records without a schema, while a topic that is still promised holds them."""
    for record, versions in index.releases.items():
        held = [t.name for t in index.topics.values() if carries(t.record, record) and _promised(t, topics, today)]
        if record not in current and held:
            sentence = f"{record} has no schema any more, and stands on {', '.join(held)}: nobody could read it there"
            fix = "put its file back; it may go when the topic is gone"
            yield Finding("vanished record", record, sentence, fix, {record: tuple(r.number for r in versions)})


def _promised(topic: ReleasedTopic, topics: Mapping[str, Topic], today: date) -> bool:
    return topic.name in topics or (topic.public and (topic.sunset is None or today <= topic.sunset))


def changed_topics(topics: Mapping[str, Topic], index: Index, today: date) -> Iterator[Finding]:
    """Topics that are no longer what was promised."""
    for was in index.topics.values():
        now = topics.get(was.name)
        if now is None:
            if _promised(was, topics, today):
                until = f"promised until {was.sunset}" if was.sunset else "promised without an end"
                fix = "put it back with a `deprecation`, release that, and take it out after its sunset"
                sentence = f"the topic {was.name} is gone, and was {until}: its subscribers would wait for ever"
                yield Finding("vanished topic", was.name, sentence, fix, {})
            continue
        major = "put it back; what has to change gets a new major: a new topic, and the old one deprecated"
        if now.key != was.key:
            sentence = (
                f"the key of {was.name} changed from `{was.key}` to `{now.key}`: an entity's new events would stand on other "
                "partitions than its old ones, in no order with them, and compaction would keep both"
            )
            yield Finding("changed key", was.name, sentence, major, {})
        if now.record != was.record:
            sentence = f"{was.name} held {was.record} and now holds {now.record}: no subscriber expects that"
            yield Finding("changed record", was.name, sentence, major, {})
        if was.public and not now.public:
            sentence = f"{was.name} was public and is now internal: its subscribers lose the promise they rely on"
            yield Finding("changed class", was.name, sentence, major, {})
        if was.sunset and now.deprecation and now.deprecation.sunset < was.sunset:
            sentence = f"{was.name} was promised until {was.sunset}, and is now to end on {now.deprecation.sunset}"
            yield Finding("earlier sunset", was.name, sentence, "keep the day that was announced, or a later one", {})


def unreleased(current: Mapping[str, Any], topics: Mapping[str, Topic], index: Index) -> Iterator[Finding]:
    """What is to be released: schemas that promise something else than their newest release, and topics nobody was promised."""
    fix = "run `burnline schemas release`"
    for record, schema in current.items():
        versions = index.releases.get(record, ())
        if not versions:
            yield Finding(UNRELEASED, record, f"{record} was never released", fix, {})
        elif promise_of(parsed(versions[-1].schema)) != promise_of(schema):
            number = versions[-1].number
            yield Finding(UNRELEASED, record, f"{record} is no longer its release {number}", fix, {record: (number,)})
    for topic in topics.values():
        if index.topics.get(topic.name) != promised(topic):
            sentence = f"the topic {topic.name} is not what was released, or was never released"
            yield Finding(UNRELEASED, topic.name, sentence, fix, {})


def promised(topic: Topic) -> ReleasedTopic:
    """What a topic promises to its subscribers."""
    sunset = topic.deprecation.sunset if topic.deprecation else None
    return ReleasedTopic(topic.name, topic.record, topic.key, topic.public, sunset)
