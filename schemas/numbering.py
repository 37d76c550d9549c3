"""Which number in the wire format stands for which release.

Without a registry these are the released numbers. A registry may have given others; then the composition says so with `use`, once and
before the first record, and only the first record of a number pays for it: the codec keeps what it made of a number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from schemas import released
from schemas.errors import Fatal, PoisonMessage
from schemas.freezing import content_of, parsed, promise_of, shape_of
from schemas.released import Index, Release, carries

Ask = Callable[[int], str | None]
"""The schema that a registry has under a number; None for a number that it never gave."""


@dataclass(frozen=True)
class Fetched(Release):
    """A schema of one of our records that this program was not built with: a newer program, or another one, wrote with it."""

    text: str = ""

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The schema as the registry has it."""
        found: dict[str, Any] = json.loads(self.text)
        return found


class Numbering(Protocol):
    """Numbers, whoever gave them."""

    def on_wire(self, wire_id: int) -> int:
        """The number to write a release under. Raises `Fatal` for one that has none."""

    def release(self, number: int) -> Release:
        """What was written under a number. Raises `PoisonMessage` for what nobody here can read."""


class Released:
    """The released numbers, and no others."""

    def on_wire(self, wire_id: int) -> int:
        """The number itself."""
        return wire_id

    def release(self, number: int) -> Release:
        """The release of this number."""
        found = released.by_id(number)
        if found is None:
            raise PoisonMessage(
                f"schema number {number} is unknown to this program",
                remedy="update this program, or let it ask the registry that gave the number",
                reason="unknown_schema",
            )
        return found


class Given:
    """Numbers of one registry. `given` are its numbers by released number; an unknown one is asked for at `where`."""

    def __init__(self, index: Index, given: Mapping[int, int], ask: Ask, where: str) -> None:
        """Keep the numbers; nothing is asked yet."""
        self._index, self._given, self._ask, self._where = index, given, ask, where
        self._releases = {number: index.by_id[wire_id] for wire_id, number in given.items()}

    def on_wire(self, wire_id: int) -> int:
        """The registry's number. Raises `Fatal` for a release that the registry does not have."""
        try:
            return self._given[wire_id]
        except KeyError:
            release = self._index.by_id.get(wire_id, f"schema number {wire_id}")
            raise Fatal(f"{release} has no number in {self._where}", remedy="run `burnline schemas publish`") from None

    def release(self, number: int) -> Release:
        """The release, or else the registry's schema of this number."""
        known = self._releases.get(number)
        if known is None:
            text = self._ask(number)
            if text is None:
                raise PoisonMessage(
                    f"schema number {number} is unknown to {self._where}",
                    remedy="find the producer that writes without this registry, or register the schema it writes with",
                    reason="unknown_schema",
                )
            known = self._releases[number] = identified(number, text, self._index)
        return known


def identified(number: int, text: str, index: Index) -> Release:
    """The release that a schema is, or else the schema as one of ours that is not released here. Pure.

    Raises `PoisonMessage` for a schema that is not ours, `Fatal` for one of an internal record: those only Burnline writes, and to
    pass over one would lose state.
    """
    try:
        schema = parsed(json.loads(text))
    except (Fatal, ValueError) as error:
        raise _foreign(number, "no Avro schema that can be read") from error
    record = schema.get("name", "a type without a name") if isinstance(schema, dict) else str(schema)
    versions = index.releases.get(record)
    if versions is None:
        raise _foreign(number, f"{record}, which is none of ours")
    for release in versions:
        if promise_of(parsed(release.schema)) == promise_of(schema):
            return release
    if not any(topic.public and carries(topic.record, record) for topic in index.topics.values()):
        raise Fatal(
            f"schema number {number} is of {record}, and no release of it that this program knows",
            remedy="a newer Burnline writes here: update this one",
        )
    return Fetched(record, 0, number, shape_of(schema), content_of(text), versions[-1].path, text)


def _foreign(number: int, what: str) -> PoisonMessage:
    return PoisonMessage(
        f"schema number {number} stands for {what}",
        remedy="find the producer that mixes up its topics",
        reason="unknown_schema",
    )


class _Current:
    """The numbering in use, and who must forget what they made of it when it changes."""

    def __init__(self) -> None:
        self._numbering: Numbering = Released()
        self._forget: list[Callable[[], None]] = []

    def get(self) -> Numbering:
        return self._numbering

    def use(self, numbering: Numbering) -> None:
        self._numbering = numbering
        for forget in self._forget:
            forget()

    def when_changed(self, forget: Callable[[], None]) -> None:
        self._forget.append(forget)


_CURRENT = _Current()
current = _CURRENT.get
use = _CURRENT.use
when_changed = _CURRENT.when_changed
