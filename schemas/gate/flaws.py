"""What is wrong with a schema by itself: it is legal Avro, and programs would still disagree on what it means. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

from schemas.defaults import value_of
from schemas.gate.compatibility import PROMOTIONS
from schemas.shapes import NAMED, names_of, plain, said


class Flaw(NamedTuple):
    """One flaw, and its cure."""

    sentence: str
    fix: str


def flaws(schema: Any) -> Iterator[Flaw]:
    """The flaws of a parsed schema."""
    names = names_of(schema)
    for name, named in names.items():
        for field in named.get("fields", ()):
            where = f"`{name.rpartition('.')[2]}.{field['name']}`"
            yield from _default(where, field, names)
            yield from _unions(where, field["type"], names)


def _default(where: str, field: Any, names: dict[str, Any]) -> Iterator[Flaw]:
    if "default" in field:
        try:
            value_of(field["type"], field["default"], names)
        except ValueError as error:
            fix = "make it a value of the field's type; of a union, a value of its first member"
            yield Flaw(f"the default of {where} does not fit: {error}", fix)


def _unions(where: str, schema: Any, names: dict[str, Any]) -> Iterator[Flaw]:
    """Pairs of members between which readers choose differently when the union grows."""
    match schema:
        case list():
            for one, other in combinations([plain(member, names) for member in schema], 2):
                if _confusable(one, other):
                    sentence = f"{where} may hold {said(one)} or {said(other)}: some readers take the one for the other"
                    yield Flaw(sentence, "keep one of them, or wrap each in a record of its own")
            for member in schema:
                yield from _unions(where, member, names)
        case {"type": "array", "items": inner} | {"type": "map", "values": inner} | {"type": list() | dict() as inner}:
            yield from _unions(where, inner, names)


def _confusable(one: Any, other: Any) -> bool:
    if one["type"] in NAMED and other["type"] in NAMED:
        return bool(_short_names(one) & _short_names(other))
    return (
        one["type"] == other["type"]
        or other["type"] in PROMOTIONS.get(one["type"], ())
        or one["type"] in PROMOTIONS.get(other["type"], ())
    )


def _short_names(named: Any) -> set[str]:
    return {name.rpartition(".")[2] for name in (named["name"], *named.get("aliases", ()))}
