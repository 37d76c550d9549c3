"""Bring a registry in line with the releases: every version of every subject, and what new versions are held to.

Rules
- Publishing twice changes nothing the second time; one that was interrupted is finished by the next.
- Nothing is ever deleted, and no compatibility is left as it was found.
- Schemas are registered in the order of their released numbers, and under further subjects only after that, since a registry that counts
  for itself and was empty then arrives at the same numbers. Those whose number stands for something else come late, so that the number
  which the registry chooses for them is none that a later one could have had.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace

from infra.registry.contract import Registered, Registry
from schemas.released import Index, Release
from schemas.subjects import Subject, subjects, text_of


@dataclass(frozen=True, slots=True)
class Line:
    """One release under one subject: how the registry has it, and what is (or was) to be done about that.

    `number` and `version` are the registry's; None where it does not have the release. `compatibility` is what it holds the
    subject to, None where nothing was set, and `wanted` what it should.
    """

    subject: str
    release: Release
    wanted: str
    compatibility: str | None
    number: int | None
    version: int | None
    changes: tuple[str, ...] = ()

    @property
    def in_line(self) -> bool:
        """Whether there is nothing to do."""
        return self.number is not None and self.compatibility == self.wanted


def survey(registry: Registry, index: Index) -> list[Line]:
    """How the registry stands to each release, by subject and version; nothing is changed."""
    lines: list[Line] = []
    for subject in subjects(index):
        level = registry.compatibility(subject.name)
        for release in subject.releases:
            found = registry.find(subject.name, text_of(release.schema))
            lines.append(_line(subject, release, level, found))
    return lines


def _line(subject: Subject, release: Release, level: str | None, found: Registered | None) -> Line:
    changes = () if level == subject.compatibility else (f"compatibility was {level or 'not set'}",)
    number, version = found or (None, None)
    if found is None:
        changes = (*changes, "new")
    return Line(subject.name, release, subject.compatibility, level, number, version, changes)


def numbered_otherwise(lines: Iterable[Line]) -> list[Line]:
    """The lines to which the registry gave other numbers than they were released with. Pure."""
    return [line for line in lines if line.number not in {None, line.release.wire_id}]


def publish(registry: Registry, lines: Iterable[Line], done: Callable[[], None] = lambda: None) -> list[Line]:
    """Do what the lines say, and return them as they are then. `done` is called after each.

    Raises `Incompatible` where the registry holds other versions that a release would break.
    """
    before = list(lines)
    for subject, level in {line.subject: line.wanted for line in before if line.compatibility != line.wanted}.items():
        registry.set_compatibility(subject, level)
    new = {line.release.wire_id for line in before if line.number is None}
    taken = {number for number in new if registry.schema(number) is not None}
    after: dict[tuple[str, int], Line] = {}
    for line in in_order(before, taken):
        found = line.number, line.version
        if line.number is None:
            found = registry.register(line.subject, text_of(line.release.schema), number=line.release.wire_id)
        after[_key(line)] = replace(line, compatibility=line.wanted, number=found[0], version=found[1])
        done()
    return [after[_key(line)] for line in before]


def in_order(lines: Iterable[Line], taken: Container[int] = frozenset()) -> list[Line]:
    """In the order in which they are to be registered: `taken` numbers stand for something else in the registry. Pure."""
    numbered = sorted(lines, key=lambda line: (line.release.wire_id, line.subject))
    seen: set[int] = set()
    ranks: list[tuple[int, Line]] = []
    for line in numbered:
        wire_id = line.release.wire_id
        ranks.append((2 if wire_id in seen else 1 if wire_id in taken else 0, line))
        seen.add(wire_id)
    return [line for _, line in sorted(ranks, key=lambda ranked: ranked[0])]


def _key(line: Line) -> tuple[str, int]:
    return line.subject, line.release.number
