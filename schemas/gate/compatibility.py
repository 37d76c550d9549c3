"""What a change of a schema breaks: Avro's rules of schema resolution, told in sentences. Pure.

Two directions. *Backward*: a program with the new schema reads what was written with the old one (a replay). *Forward*: a
subscriber that still has the old schema reads what is written with the new one.

Rules that are stricter than Avro's, which asks only whether bytes can be read, not whether they mean the same
- Logical types, and a decimal's scale and precision, stay as they are. Avro would read 12.50 as 1250 without a word.
- A symbol of an enum is never taken out, not even where a default stands in for it: what was `approved` would become `unknown`.
- A number may only become one that holds all its values: `long` to `double` loses digits. `bytes` do not become `string`.
- Named types keep their full name, namespace included.

Schemas are given as fastavro has parsed them, whole: every named type stands inside, where it is met first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schemas.shapes import NAMED, names_of, plain, said, short_name

LOSSLESS = {"int": {"long", "double"}, "float": {"double"}, "string": {"bytes"}}
PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
NEW_MAJOR = "where the old one has to go, make a new major of the topic"
ANOTHER_FIELD = f"put it back as it was, and add another field, with a default, for what is new; {NEW_MAJOR}"


class Direction(StrEnum):
    """Who reads what."""

    BACKWARD = "new readers of old data"
    FORWARD = "old readers of new data"


class Kind(StrEnum):
    """What was changed."""

    REQUIRED_FIELD = "new required field"
    REMOVED_FIELD = "removed field"
    TYPE = "changed type"
    NULL = "changed null"
    MEMBER = "changed union"
    SYMBOL = "removed symbol"
    NEW_SYMBOL = "new symbol"
    LOGICAL_TYPE = "changed logical type"
    SCALE = "changed scale"
    NAME = "changed name"
    SIZE = "changed size"
    ALIAS = "ambiguous alias"


@dataclass(frozen=True, slots=True)
class Clash:
    """One change that one direction does not survive. `where` is a record's short name and a field; `harm` is what the readers suffer."""

    where: str
    kind: Kind
    change: str
    harm: str
    fix: str


CANNOT = "cannot read"
MISREAD = "would misread"


def clashes(old: Any, new: Any, direction: Direction) -> list[Clash]:
    """Every clash between two versions of a record in one direction; none when each reader gets what the writer meant."""
    return list(_Walk(old, new, direction).compare(old, new, short_name(old)))


class _Walk:
    """One comparison. A pair of named types that was met already is not compared again, so recursion ends."""

    def __init__(self, old: Any, new: Any, direction: Direction) -> None:
        self._names = {"old": names_of(old), "new": names_of(new)}
        self._backward = direction is Direction.BACKWARD
        self._met: set[tuple[str, str]] = set()

    def compare(self, old: Any, new: Any, where: str) -> Iterator[Clash]:
        """What clashes between two types that stand in the same place."""
        old, new = plain(old, self._names["old"]), plain(new, self._names["new"])
        if isinstance(old, list) or isinstance(new, list):
            yield from self._unions(_members(old), _members(new), where)
        elif old["type"] != new["type"]:
            yield from self._types(old, new, where)
        else:
            yield from _logical(old, new, where)
            yield from self._same_type(old, new, where)

    def _reader_writer(self, old: Any, new: Any) -> tuple[Any, Any]:
        return (new, old) if self._backward else (old, new)

    def _types(self, old: Any, new: Any, where: str) -> Iterator[Clash]:
        reader, writer = self._reader_writer(old, new)
        logical = "logicalType" in old or "logicalType" in new
        if logical or reader["type"] not in LOSSLESS.get(writer["type"], ()):
            change = f"`{where}` changed from {said(old)} to {said(new)}"
            promoted = reader["type"] in PROMOTIONS.get(writer["type"], ())
            yield Clash(where, Kind.TYPE, change, MISREAD if promoted else CANNOT, ANOTHER_FIELD)

    def _same_type(self, old: Any, new: Any, where: str) -> Iterator[Clash]:
        match old["type"]:
            case "array":
                yield from self.compare(old["items"], new["items"], f"{where}[]")
            case "map":
                yield from self.compare(old["values"], new["values"], f"{where}{{}}")
            case "record" | "enum" | "fixed":
                yield from self._named(old, new, where)

    def _named(self, old: Any, new: Any, where: str) -> Iterator[Clash]:
        pair = old["name"], new["name"]
        if pair in self._met:
            return
        self._met.add(pair)
        reader, writer = self._reader_writer(old, new)
        if not named_alike(reader, writer):
            fix = f"keep the name `{old['name']}`"
            change = f"`{where}`: the {old['type']} `{old['name']}` is now called `{new['name']}`"
            yield Clash(where, Kind.NAME, change, CANNOT, fix)
        match old["type"]:
            case "enum":
                yield from self._symbols(old, new, where)
            case "fixed" if old["size"] != new["size"]:
                change = f"`{where}` changed from {old['size']} to {new['size']} bytes"
                yield Clash(where, Kind.SIZE, change, CANNOT, ANOTHER_FIELD)
            case "record":
                yield from self._fields(old, new)

    def _symbols(self, old: Any, new: Any, where: str) -> Iterator[Clash]:
        enum = short_name(old)
        if self._backward:
            for symbol in old["symbols"]:
                if symbol not in new["symbols"]:
                    harm = f"would read `{symbol}` as `{new['default']}` in" if "default" in new else CANNOT
                    fix = f"put `{symbol}` back and write it no longer; a better name is a new symbol next to it"
                    yield Clash(where, Kind.SYMBOL, f"the enum `{enum}` lost the symbol `{symbol}`", harm, fix)
        elif "default" not in old:
            for symbol in new["symbols"]:
                if symbol not in old["symbols"]:
                    change = f"the enum `{enum}` has a new symbol `{symbol}`, and had no default to stand in for it"
                    fix = f"take `{symbol}` out; an enum that may grow needs a default from its first release on"
                    yield Clash(where, Kind.NEW_SYMBOL, change, CANNOT, fix)

    def _fields(self, old: Any, new: Any) -> Iterator[Clash]:
        reader, writer = self._reader_writer(old, new)
        record = short_name(new)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            found = [written[name] for name in (field["name"], *field.get("aliases", ())) if name in written]
            where = f"{record}.{field['name']}"
            if len(found) > 1:
                yield _ambiguous(where, found)
            elif found:
                yield from self.compare(*self._reader_writer(field["type"], found[0]["type"]), where)
            elif "default" not in field:
                yield _missing_default(where, field, new_reader=self._backward)

    def _unions(self, old: list[Any], new: list[Any], where: str) -> Iterator[Clash]:
        reader, writer = self._reader_writer(old, new)
        if _null(writer) and not _null(reader):
            now = (
                "may no longer be null, and old data is" if self._backward else "may now be null, and could not before"
            )
            fix = "allow null again" if self._backward else f"give it a value that stands for none, or {ANOTHER_FIELD}"
            yield Clash(where, Kind.NULL, f"`{where}` {now}", CANNOT, fix)
        values, choices = _values(writer), _values(reader)
        if len(values) == len(choices) == 1:
            yield from self.compare(*self._reader_writer(choices[0], values[0]), where)
            return
        for member in values:
            found = self._choice(choices, member)
            if found is None:
                now = "no longer holds" if self._backward else "may now hold"
                fix = "put it back" if self._backward else ANOTHER_FIELD
                yield Clash(where, Kind.MEMBER, f"`{where}` {now} {said(member)}", CANNOT, fix)
            else:
                yield from self.compare(*self._reader_writer(found, member), where)

    def _choice(self, choices: list[Any], member: Any) -> Any:
        """The reader's member of a union that takes the writer's: the same type first, else one it may become."""
        side, other = ("new", "old") if self._backward else ("old", "new")
        wanted = plain(member, self._names[other])
        known = [plain(choice, self._names[side]) for choice in choices]
        same = [choice for choice in known if _alike(choice, wanted)]
        wider = [choice for choice in known if choice["type"] in PROMOTIONS.get(wanted["type"], ())]
        return next(iter(same + wider), None)


def _alike(reader: Any, writer: Any) -> bool:
    if reader["type"] != writer["type"]:
        return False
    return reader["type"] not in NAMED or named_alike(reader, writer)


def named_alike(reader: Any, writer: Any) -> bool:
    """Whether the reader's name, or one of its aliases, is the writer's name."""
    namespace = reader["name"].rpartition(".")[0]
    aliases = {
        alias if "." in alias or not namespace else f"{namespace}.{alias}" for alias in reader.get("aliases", ())
    }
    return writer["name"] in {reader["name"], *aliases}


def _logical(old: Any, new: Any, where: str) -> Iterator[Clash]:
    if old.get("logicalType") != new.get("logicalType"):
        change = f"`{where}` changed from {said(old)} to {said(new)}"
        yield Clash(where, Kind.LOGICAL_TYPE, change, MISREAD, ANOTHER_FIELD)
    elif old.get("logicalType") == "decimal":
        for kind in ("scale", "precision"):
            before, after = old.get(kind, 0), new.get(kind, 0)
            if before != after:
                change = f"`{where}` changed its {kind} from {before} to {after}"
                yield Clash(where, Kind.SCALE, change, MISREAD, ANOTHER_FIELD)


def _missing_default(where: str, field: Mapping[str, Any], *, new_reader: bool) -> Clash:
    if new_reader:
        fix = 'give it a default; for "not known", make it `["null", …]` with the default null'
        return Clash(where, Kind.REQUIRED_FIELD, f"`{where}` is new and has no default", CANNOT, fix)
    fix = f"put it back as {said(field['type'])}, and fill it for as long as there are readers; {NEW_MAJOR}"
    return Clash(where, Kind.REMOVED_FIELD, f"`{where}` is gone, and had no default", CANNOT, fix)


def _ambiguous(where: str, found: list[Mapping[str, Any]]) -> Clash:
    names = " and ".join(f"`{field['name']}`" for field in found)
    change = f"`{where}` has an alias by which both {names} would become one field"
    return Clash(where, Kind.ALIAS, change, MISREAD, "take the alias out: it may only name a field that is gone")


def _members(schema: Any) -> list[Any]:
    return schema if isinstance(schema, list) else [schema]


def _null(members: list[Any]) -> bool:
    return any(_is_null(member) for member in members)


def _values(members: list[Any]) -> list[Any]:
    return [member for member in members if not _is_null(member)]


def _is_null(member: Any) -> bool:
    return member in ("null", {"type": "null"})
