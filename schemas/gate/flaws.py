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
            yield from _lists(where, field["type"], names)


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


def _lists(where: str, schema: Any, names: dict[str, Any]) -> Iterator[Flaw]:
    """Lists whose items may take no bytes: a reader that believes their number, whatever it is, can be made to fill its memory."""
    match schema:
        case {"type": "array", "items": inner}:
            if _bytes_less(inner, names, frozenset()):
                sentence = f"{where} is a list of {said(inner)}, which takes no bytes: our readers refuse it"
                yield Flaw(sentence, "give its items a value; or keep their number instead of the list")
            yield from _lists(where, inner, names)
        case {"type": "map", "values": inner} | {"type": list() | dict() as inner}:
            yield from _lists(where, inner, names)
        case list():
            for member in schema:
                yield from _lists(where, member, names)


def _bytes_less(schema: Any, names: dict[str, Any], within: frozenset[str]) -> bool:
    found = plain(schema, names)
    match found:
        case {"type": "null"}:
            return True
        case {"type": "record", "name": name, "fields": fields} if name not in within:
            return all(_bytes_less(field["type"], names, within | {name}) for field in fields)
    return False


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
