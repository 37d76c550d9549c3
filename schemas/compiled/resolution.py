"""What a value written with one schema means to a reader of another: Avro's schema resolution, as far as it keeps the meaning.

Stricter than Avro where the bytes could be read and would say something else: a decimal is read only with the scale it was written with,
a moment or a day only as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.compiled.values import ONE_BYTE
from schemas.records import DeadLetterReason
from schemas.shapes import plain, said, short_name

LOGICAL = frozenset({"timestamp-micros", "date", "decimal", "uuid"})
WIDER = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
"""What a type may be read as, besides itself."""


class Unresolvable(Exception):  # noqa: N818  said of two schemas, as `Unreadable` is of bytes
    """No value of one type can be read as the other. `reason` as in a dead letter."""

    def __init__(self, reason: DeadLetterReason, message: str) -> None:
        """Say what kind of fault, and which."""
        super().__init__(message)
        self.reason = reason


def logical(schema: Any) -> str | None:
    """The logical type, if it is one of ours; others are read as their carrier, as Avro demands."""
    name = schema.get("logicalType") if isinstance(schema, dict) else None
    return name if name in LOGICAL else None


def check(wrote: Any, wanted: Any) -> None:
    """Raises `Unresolvable` where a value of the one type is none of the other; what is inside is not looked at. Neither is a union."""
    pair = f"{said(wrote)} cannot be read as {said(wanted)}"
    kind = wrote["type"]
    if wanted["type"] != kind and wanted["type"] not in WIDER.get(kind, ()):
        raise Unresolvable("malformed", pair)
    if "name" in wrote and not _known_as(wrote, wanted):
        raise Unresolvable("malformed", pair)
    if kind == "fixed" and wrote["size"] != wanted["size"]:
        raise Unresolvable("malformed", pair)
    if logical(wrote) == logical(wanted) == "decimal":
        if wrote.get("scale", 0) != wanted.get("scale", 0):
            raise Unresolvable("wrong_scale", pair)
    elif not {logical(wrote), logical(wanted)} <= {"uuid", None} and logical(wrote) != logical(wanted):
        raise Unresolvable("malformed", pair)


def _known_as(wrote: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    aliases = {alias.rpartition(".")[2] for alias in wanted.get("aliases", ())}
    return short_name(wrote) in {short_name(wanted), *aliases}


def branch(wrote: Any, union: list[Any], names: Mapping[str, Any]) -> Any:
    """The branch that a type is read as: the first of the same type, else the first that it may be read as.

    Raises `Unresolvable` where there is none.
    """
    refused = Unresolvable("malformed", f"{said(wrote)} is no branch of {said(union)}")
    branches = [plain(one, names) for one in union]
    for one in sorted(branches, key=lambda one: one["type"] != wrote["type"]):
        try:
            check(wrote, one)
        except Unresolvable as error:
            refused = error if error.reason == "wrong_scale" else refused
        else:
            return one
    raise refused


def symbols(wrote: Any, wanted: Any) -> dict[int, str]:
    """The reader's symbol for the first byte of each of the writer's: its default for those it does not know, if it has one."""
    if len(wrote["symbols"]) > ONE_BYTE:
        raise Unresolvable("malformed", f"{said(wrote)} has more than {ONE_BYTE} symbols")
    known, default = set(wanted["symbols"]), wanted.get("default")
    every = {2 * number: symbol if symbol in known else default for number, symbol in enumerate(wrote["symbols"])}
    return {byte: symbol for byte, symbol in every.items() if symbol is not None}


def fields(wrote: Any, wanted: list[Any]) -> dict[str, Any]:
    """The reader's field for each of the writer's that it knows, by the writer's name: of the same name, else by an alias."""
    written = [field["name"] for field in wrote["fields"]]
    found: dict[str, Any] = {}
    for field in wanted:
        names = [name for name in (field["name"], *field.get("aliases", ())) if name in written]
        if names:
            found.setdefault(names[0], field)
    return found
