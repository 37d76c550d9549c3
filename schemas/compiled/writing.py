"""Writers: one function for each record of a schema, which asks a dictionary for its fields and adds their bytes to a list.

Rules
- What breaks the schema raises `KeyError`, `TypeError`, `ValueError`, `AttributeError` or `ArithmeticError`: none of it is written, and
  `schemas.breach` says where. Nothing is converted: no text is a number, no letter a list, no naive time a moment.
- A field that is left out takes its default, where it has one.
- In a union of several records, a value comes in a pair after the full name of its own, as readers give it.
- As written, the values are those that such a reader gives: days, microseconds, unscaled bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from schemas.compiled.resolution import logical
from schemas.compiled.source import Source, finished, indented
from schemas.compiled.values import encoded
from schemas.defaults import value_of
from schemas.freezing import parsed
from schemas.lines import is_line
from schemas.shapes import names_of, plain, said

Add = Callable[[Iterable[bytes]], object]
"""What adds pieces of bytes, several at a time (a list's `extend`)."""
Write = Callable[[Any, Add], None]
"""A value, and what adds the pieces of its bytes."""


def compile_writer(schema: Any, *, as_written: bool) -> Write:
    """A writer of this whole schema. Raises `TypeError` for a type that no schema of ours has."""
    write: Write = finished(writer_text(schema, as_written=as_written), "root")
    return write


def writer_text(schema: Any, *, as_written: bool) -> str:
    """The text of such a writer, whose function is `root`."""
    return Compiler(parsed(schema), as_written=as_written).text()


class Compiler:
    """Writes the functions of one schema. Lines it returns add the bytes of the value of an expression, with `a`.

    What adds bytes is made by the methods from `added` on, for the sake of `schemas.compiled.buffered`.
    """

    head = "a: Add"

    def __init__(self, schema: Any, *, as_written: bool) -> None:
        self._schema, self._as_written = schema, as_written
        self._named = names_of(schema)
        self._source = Source()
        self._done: dict[str, str] = {}

    def text(self) -> str:
        self._source.function("root(v: Any, a: Add) -> None", self._write(self._schema, "v"))
        return self._source.text()

    def _write(self, schema: Any, value: str) -> list[str]:
        schema = plain(schema, self._named)
        match schema:
            case list():
                return self._union(schema, value)
            case {"type": "record"}:
                return [f"{self._record(schema)}({value}, a)"]
            case {"type": "enum", "symbols": symbols}:
                known = {symbol: encoded(number) for number, symbol in enumerate(symbols)}
                return [self.added(f"{self._source.value(repr(known))}[{value}]")]
            case {"type": "array", "items": items}:
                several, one = self._source.name("v"), self._source.name("v")
                kept = [f"{several} = {value}", f"if {several}.__class__ is not list: {several} = listed({several})"]
                return [*kept, *self._block(several, f"for {one} in {several}:", self._write(items, one))]
            case {"type": "map", "values": values}:
                several, key, one = (self._source.name("v") for _ in range(3))
                item = [*self._write("string", key), *self._write(values, one)]
                return [f"{several} = {value}", *self._block(several, f"for {key}, {one} in {several}.items():", item)]
        return self._primitive(schema, value)

    def _primitive(self, schema: Any, value: str) -> list[str]:  # noqa: PLR0911  one return for each kind of Avro type
        v = self._source.name("v")  # keeps a value from being asked twice
        match schema["type"], None if self._as_written else logical(schema):
            case "null", _:
                return [f"if {value} is not None: raise TypeError"]
            case "boolean", _:
                return [self.flag(value)]
            case (("int" | "long"), "timestamp-micros"):
                return [self.number("long", f"micros({value})", v)]
            case (("int" | "long"), "date"):
                return [self.added(f"write_day({value})")]
            case ("int" | "long") as name, _:
                return [self.number(name, value, v)]
            case "string", _:
                return [self.sized(f"{value}.encode()", v)]
            case "bytes", "decimal":
                scale = self._source.value(f"Scale({schema['precision']:d}, {schema['scale']:d}).write")
                return [self.sized(f"{scale}({value})", v)]
            case "bytes", _:
                return [self.sized(value, v)]
        raise TypeError(f"there is no writer for {said(schema)}")

    def _block(self, several: str, each: str, item: list[str]) -> list[str]:
        """All items in one block, after their number; then none."""
        size = self.number("long", f"len({several})", self._source.name("v"))
        return [f"if {several}:", *indented([size, each, *indented(_merged(item))]), self.added(repr(b"\0"))]

    def _union(self, union: list[Any], value: str) -> list[str]:
        v = self._source.name("v")
        lines = [f"{v} = {value}"]
        others = [(encoded(number), branch) for number, branch in enumerate(union) if branch != "null"]
        if "null" in union:
            lines += [f"if {v} is None:", f"    {self.added(repr(encoded(union.index('null'))))}", "else:"]
        if len(others) == 1:
            [(number, branch)] = others
            inner = _merged([self.added(repr(number)), *self._write(branch, v)])
        else:
            inner = self._one_of(others, v)
        return lines + (indented(inner) if "null" in union else inner)

    def _one_of(self, branches: list[tuple[bytes, Any]], pair: str) -> list[str]:
        """The branch that a pair names."""
        name, value = self._source.name("v"), self._source.name("v")
        lines = [f"{name}, {value} = {pair}"]
        for place, (number, branch) in enumerate(branches):
            defined = plain(branch, self._named)
            if defined["type"] != "record":
                raise TypeError(f"{said(defined)} among several types: only records tell which they are")
            inner = [self.added(repr(number)), *self._write(defined, value)]
            lines += [f"{'elif' if place else 'if'} {name} == {defined['name']!r}:", *indented(inner)]
        return [*lines, f"else: raise KeyError({name})"]

    def _record(self, schema: Any) -> str:
        """The name of the function that writes this record; written when it is asked for first."""
        name: str = schema["name"]
        if name in self._done:
            return self._done[name]
        function = self._done[name] = self._source.name("record")
        line = self._as_written and is_line(name, [field["name"] for field in schema["fields"]])
        lines = ["s = r if isinstance(r, TimeLine) else line_of(r)"] if line else []
        for field in schema["fields"]:
            lines += self._write(field["type"], f"s.{field['name']}" if line else self._asked(field))
        self._source.function(f"{function}(r: Any, {self.head}) -> None", _merged(lines))
        return function

    def _asked(self, field: Any) -> str:
        """The expression for a field's value."""
        name = field["name"]
        if "default" not in field:
            return f"r[{name!r}]"
        value = value_of(field["type"], field["default"], self._named, as_written=self._as_written)
        return f"r.get({name!r})" if value is None else f"r.get({name!r}, {self._source.value(repr(value))})"

    def added(self, *pieces: str) -> str:
        """A line that adds these pieces, expressions each, evaluated in this order."""
        return f"{_ADD}{', '.join(pieces)}{_END}"

    def flag(self, value: str) -> str:
        """A line that adds a boolean."""
        return self.added(f"FLAGS[{value}]")

    def number(self, kind: str, value: str, name: str) -> str:
        """A line that adds an `int` or a `long`; `name` is free for it."""
        return self.added(f"FREQUENT.get({name} := {value}) or write_{kind}({name})")

    def sized(self, value: str, name: str) -> str:
        """A line that adds bytes after their number."""
        return self.added(f"FREQUENT.get(len({name} := {value})) or write_long(len({name}))", name)


_ADD, _END = "a((", ",))"


def _merged(lines: list[str]) -> list[str]:
    """The lines with neighbours that only add as one: a call costs as much as three pieces."""
    out: list[str] = []
    for line in lines:
        if out and line.startswith(_ADD) and out[-1].startswith(_ADD):
            out[-1] = f"{out[-1].removesuffix(_END)}, {line.removeprefix(_ADD)}"
        else:
            out.append(line)
    return out
