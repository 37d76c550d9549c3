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
