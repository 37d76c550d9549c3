"""Records as they are now, held against all their releases. Pure.

Those of a public topic both ways (FULL_TRANSITIVE), others backward (BACKWARD_TRANSITIVE).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from schemas.freezing import parsed, promise_of
from schemas.gate.compatibility import Clash, Direction, clashes
from schemas.gate.finding import UNRELEASED, Finding
from schemas.gate.topics import is_promised
from schemas.released import Index, ReleasedTopic, carries
from schemas.topics import Topic


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
        versions = _versions(broken.values())
        sentence = f"{clash.change}: {_harm(clash, broken)}"
        yield Finding(clash.kind, next(iter(versions)), sentence, clash.fix, versions, clash.where)


def _versions(broken: Iterable[Mapping[str, list[int]]]) -> dict[str, tuple[int, ...]]:
    """The releases that break in either direction, by record."""
    numbers: dict[str, set[int]] = {}
    for by_record in broken:
        for record, some in by_record.items():
            numbers.setdefault(record, set()).update(some)
    return {record: tuple(sorted(found)) for record, found in numbers.items()}


def is_public(record: str, topics: Mapping[str, Topic], index: Index) -> bool:
    """Whether a record travels on a topic with a promise, now or in a release."""
    promises: Iterable[Topic | ReleasedTopic] = (*topics.values(), *index.topics.values())
    return any(topic.public and carries(topic.record, record) for topic in promises)


def _harm(clash: Clash, broken: Mapping[Direction, Mapping[str, list[int]]]) -> str:
    """Who suffers what, with which releases."""
    which = {direction: _which(by_record) for direction, by_record in broken.items()}
    backward, forward = which.get(Direction.BACKWARD), which.get(Direction.FORWARD)
    if backward == forward:
        return f"programs with the new schema and those with {backward} {clash.harm} what the other writes"
    harms = []
    if backward:
        harms.append(f"programs with the new schema {clash.harm} what was written with {backward}")
    if forward:
        harms.append(f"subscribers that still read with {forward} {clash.harm} what is written from now on")
    return ", and ".join(harms)


def _which(by_record: Mapping[str, list[int]]) -> str:
    (record, numbers), *more = by_record.items()
    which = f"version{'s' if len(numbers) > 1 else ''} {_listed(numbers)} of {record}"
    return f"{which} (and of {len(more)} more that hold it)" if more else which


def _listed(numbers: list[int]) -> str:
    *most, last = map(str, numbers)
    return f"{', '.join(most)} and {last}" if most else last


def vanished(current: Mapping[str, Any], topics: Mapping[str, Topic], index: Index, today: date) -> Iterator[Finding]:
    """Records without a schema, while a topic that is still promised holds them."""
    for record, versions in index.releases.items():
        held = [t.name for t in index.topics.values() if carries(t.record, record) and is_promised(t, topics, today)]
        if record not in current and held:
            sentence = f"{record} has no schema any more, and stands on {', '.join(held)}: nobody could read it there"
            fix = "put its file back; it may go when the topic is gone"
            yield Finding("vanished record", record, sentence, fix, {record: tuple(r.number for r in versions)})


def unreleased(current: Mapping[str, Any], index: Index) -> Iterator[Finding]:
    """Schemas that promise something else than their newest release."""
    fix = "run `burnline schemas release`"
    for record, schema in current.items():
        versions = index.releases.get(record, ())
        if not versions:
            yield Finding(UNRELEASED, record, f"{record} was never released", fix)
        elif promise_of(parsed(versions[-1].schema)) != promise_of(schema):
            number = versions[-1].number
            yield Finding(UNRELEASED, record, f"{record} is no longer its release {number}", fix, {record: (number,)})
