"""Readers: one function for each record of a schema, which follows the bytes and makes a dictionary of them.

Rules
- A reader is made for the schema a record was written with and the one it shall be read as (Avro's schema resolution): fields the
  reader does not know are passed over, fields the writer did not know get the reader's default, a symbol that the reader does not
  know becomes its default symbol. Passing over costs a fraction of reading: only lengths are looked at.
- What cannot be read as the other is found out when the reader is made, not when a record comes, but for branches and symbols that a
  record need not hold.
- No byte is guessed at: what the schema does not allow is `Unreadable`, and so is a length that points beyond the end. An
  `IndexError` of a reader means that the bytes end too early.
- As written, logical types are not converted: days, microseconds, unscaled bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from schemas.compiled import resolution
from schemas.compiled.resolution import Unresolvable, logical
from schemas.compiled.source import Source, finished, indented
from schemas.compiled.values import EPOCH_DAY, ONE_BYTE
from schemas.defaults import value_of
from schemas.freezing import parsed
from schemas.lines import is_line
from schemas.shapes import names_of, plain, said

Read = Callable[[bytes, int, int], tuple[Any, int]]
"""From bytes, the place where the value begins and the place where the record ends: the value, and the place after it."""


_NUMBER = [
    "b = d[i]; i += 1",
    "if b < 128: {0} = SMALL[b]",
    "elif (c := d[i]) < 128: {0} = (c << 6 | b >> 1 & 63) ^ -(b & 1); i += 1",  # two bytes: ids, minutes
    "elif (e := d[i + 1]) < 128: {0} = (e << 13 | (c & 127) << 6 | b >> 1 & 63) ^ -(b & 1); i += 2",  # three: dates
    "else: {0}, i = read_long(d, i, b)",
]
_WITHIN = ["j = i + n", "if not i <= j <= end: raise Unreadable(*short(n))"]
_NO_BRANCH = 'else: raise Unreadable("malformed", f"a union has no such branch (byte {b})")'
_LENGTH = [*(line.format("n") for line in _NUMBER), *_WITHIN]


_PLACE = "d: bytes, i: i64, end: i64"
_NUMBERS = "b: i64; c: i64; e: i64; j: i64; n: i64"
"""What a compiler may keep in a machine's word: places, lengths, bytes."""

Kept = Mapping[str, Collection[str]]
"""Full names of records, and the fields of each that are read; of any other record all are."""


def compile_reader(writer: Any, reader: Any | None = None, *, as_written: bool, kept: Kept | None = None) -> Read:
    """A reader of records written with one schema, as records of another (of the same, by default).

    Both are whole schemas; `kept` limits the fields that are read. Raises `Unresolvable` where no record of the one could be read as
    the other.
    """
    read: Read = finished(reader_text(writer, reader, as_written=as_written, kept=kept), "root")
    return read


def reader_text(writer: Any, reader: Any | None = None, *, as_written: bool, kept: Kept | None = None) -> str:
    """The text of such a reader, whose function is `root`."""
    wrote = parsed(writer)
    wanted = wrote if reader is None else parsed(reader)
    return _Compiler(wrote, wanted, as_written=as_written, kept=kept or {}).text()


class _Compiler:
    """Writes the functions of one pair of schemas. Lines it returns read one value of `d` at `i` into a variable."""

    def __init__(self, wrote: Any, wanted: Any, *, as_written: bool, kept: Kept) -> None:
        self._wrote, self._wanted, self._as_written, self._kept = wrote, wanted, as_written, kept
        self._named = names_of(wrote)
        self._known = {**self._named, **names_of(wanted)}  # the writer's own are for what is passed over
        self._source = Source()
        self._done: dict[tuple[str, str], str] = {}
        self._passed: dict[str, str] = {}

    def text(self) -> str:
        self._source.function(
            f"root({_PLACE}) -> tuple[Any, i64]", [_NUMBERS, *self._read(self._wrote, self._wanted, "v"), "return v, i"]
        )
        return self._source.text()

    def _read(self, wrote: Any, wanted: Any, into: str) -> list[str]:  # noqa: PLR0911  one return for each kind of Avro type
        """Lines that read a value of the type `wrote` as one of `wanted`."""
        wrote, wanted = plain(wrote, self._named), plain(wanted, self._known)
        if isinstance(wrote, list):
            return self._union(wrote, wanted, into)
        if isinstance(wanted, list):
            return self._as_branch(wrote, wanted, into)
        resolution.check(wrote, wanted)
        match wrote:
            case {"type": "record"}:
                return [f"{into}, i = {self._record(wrote, wanted)}(d, i, end)"]
            case {"type": "enum"}:
                what = f"{said(wrote)} has no such symbol"
                known = f"Known({resolution.symbols(wrote, wanted)!r}, 'unknown_symbol', {what!r})"
                return [f"{into} = {self._source.value(known)}[d[i]]; i += 1"]
            case {"type": "array", "items": items}:
                item = self._source.name("v")
                return self._blocks(into, "[]", [*self._read(items, wanted["items"], item), f"{into}.append({item})"])
            case {"type": "map", "values": values}:
                key, item = self._source.name("v"), self._source.name("v")
                pair = [*self._read("string", "string", key), *self._read(values, wanted["values"], item)]
                return self._blocks(into, "{}", [*pair, f"{into}[{key}] = {item}"])
        return self._primitive(wrote, wanted, into)

    def _primitive(self, wrote: Any, wanted: Any, into: str) -> list[str]:  # noqa: PLR0911  one return for each kind of Avro type
        number = [line.format(into) for line in _NUMBER]
        match wrote["type"], wanted["type"], None if self._as_written else logical(wrote):
            case "null", _, _:
                return [f"{into} = None"]
            case "boolean", _, _:
                return [f"{into} = BOOLEAN[d[i]]; i += 1"]
            case (("int" | "long"), _, "timestamp-micros"):
                return [*number, f"{into} = moment({into})"]
            case (("int" | "long"), _, "date"):
                return [*number, f"{into} = from_ordinal({into} + {EPOCH_DAY})"]
            case (("int" | "long"), ("float" | "double"), _):
                return [*number, f"{into} = float({into})"]
            case (("int" | "long"), _, _):
                return number
            case ("float" | "double") as kind, _, _:
                size = 4 if kind == "float" else 8
                return [f"n = {size}", *_WITHIN, f"{into}, = float{size}(d, i); i = j"]
            case ("bytes" | "fixed") as kind, _, "decimal":
                scale = self._source.value(f"Scale({wrote['precision']:d}, {wrote.get('scale', 0):d}).read")
                return [*self._length(kind, wrote), f"{into} = {scale}(d[i:j]); i = j"]
            case ("string" | "bytes" | "fixed") as kind, as_kind, _:
                decode = ".decode()" if as_kind == "string" else ""
                return [*self._length(kind, wrote), f"{into} = d[i:j]{decode}; i = j"]
        raise Unresolvable("malformed", f"there is no reader for {said(wrote)}")

    @staticmethod
    def _length(kind: str, wrote: Any) -> list[str]:
        return [f"n = {int(wrote['size'])}", *_WITHIN] if kind == "fixed" else _LENGTH

    def _union(self, wrote: list[Any], wanted: Any, into: str) -> list[str]:
        if len(wrote) > ONE_BYTE:
            raise Unresolvable("malformed", f"a union of more than {ONE_BYTE} types cannot be read")
        lines = ["b = d[i]; i += 1"]
        for number, branch in enumerate(wrote):
            try:
                inner = self._read(branch, wanted, into)
            except Unresolvable as error:  # no harm is done unless a record holds it
                inner = [f"raise Unreadable({error.reason!r}, {str(error)!r})"]
            lines += [f"{'elif' if number else 'if'} b == {2 * number}:", *indented(inner)]
        return [*lines, _NO_BRANCH]

    def _as_branch(self, wrote: Any, union: list[Any], into: str) -> list[str]:
        """As one branch of the reader's union: among several records, a value is told apart by its name, in a pair with it."""
        branch = resolution.branch(wrote, union, self._known)
        lines = self._read(wrote, branch, into)
        records = [one for one in union if plain(one, self._known)["type"] == "record"]
        if len(records) > 1 and branch["type"] == "record":
            lines.append(f"{into} = {branch['name']!r}, {into}")
        return lines

    def _blocks(self, into: str, empty: str, item: list[str]) -> list[str]:
        """Blocks of items, each after their number; a negative number is followed by the block's size in bytes."""
        count, size = self._source.name("v"), self._source.name("v")
        return [
            f"{into} = {empty}",
            "while True:",
            *indented([line.format(count) for line in _NUMBER]),
            f"    if not {count}: break",
            f"    if {count} < 0:",
            f"        {count} = -{count}",
            *indented(indented([line.format(size) for line in _NUMBER])),
            f"    if {count} > end - i: raise Unreadable(*short({count}))",  # an item has at least a byte
            f"    for _ in range({count}):",
            *indented(indented(item)),
        ]

    def _record(self, wrote: Any, wanted: Any) -> str:
        """The name of the function that reads this record; written when it is asked for first."""
        pair = wrote["name"], wanted["name"]
        if pair in self._done:
            return self._done[pair]
        function = self._done[pair] = self._source.name("record")
        try:
            self._source.function(f"{function}({_PLACE}) -> tuple[Any, i64]", [_NUMBERS, *self._fields(wrote, wanted)])
        except Unresolvable:
            del self._done[pair]
            raise
        return function

    def _fields(self, wrote: Any, wanted: Any) -> list[str]:
        kept = self._kept.get(wanted["name"])
        wishes = [field for field in wanted["fields"] if kept is None or field["name"] in kept]
        known = resolution.fields(wrote, wishes)
        found: dict[str, str] = {}
        lines: list[str] = []
        for field in wrote["fields"]:
            name, into = field["name"], self._source.name("v")
            if name not in known:
                lines += self._pass(field["type"])
                continue
            try:
                lines += self._read(field["type"], known[name]["type"], into)
            except Unresolvable as error:
                raise Unresolvable(error.reason, f"{name}: {error}") from error
            found[known[name]["name"]] = into
        read = {field["name"]: found.get(field["name"]) or self._default(field) for field in wishes}
        if self._as_written and is_line(wanted["name"], read):
            return [*lines, f"return TimeLine({', '.join(read.values())}), i"]
        pairs = [f"{name!r}: {value}" for name, value in read.items()]
        return [*lines, f"return {{{', '.join(pairs)}}}, i"]

    def _pass(self, wrote: Any) -> list[str]:  # noqa: PLR0911  one return for each kind of Avro type
        """Lines that go to the end of a value nobody asked for."""
        wrote = plain(wrote, self._named)
        match wrote:
            case list():
                lines = ["b = d[i]; i += 1"]
                for number, branch in enumerate(wrote):
                    lines += [f"{'elif' if number else 'if'} b == {2 * number}:", *indented(self._pass(branch))]
                return [*lines, _NO_BRANCH]
            case {"type": "null"}:
                return ["pass"]
            case {"type": "record"}:
                return [f"i = {self._passing(wrote)}(d, i, end)"]
            case {"type": "boolean" | "enum"}:
                return ["i += 1"]
            case {"type": "int" | "long"}:
                return ["while d[i] > 127: i += 1", "i += 1"]
            case {"type": "string" | "bytes" | "fixed" as kind}:
                return [*self._length(kind, wrote), "i = j"]
            case {"type": "float" | "double" as kind}:
                return [f"n = {4 if kind == 'float' else 8}", *_WITHIN, "i = j"]
        return self._read(
            wrote, wrote, self._source.name("v")
        )  # lists and maps: rare, and their items have to be counted

    def _passing(self, wrote: Any) -> str:
        """The name of the function that goes to the end of this record."""
        if wrote["name"] not in self._passed:
            function = self._passed[wrote["name"]] = self._source.name("pass")
            lines = [line for field in wrote["fields"] for line in self._pass(field["type"])]
            self._source.function(f"{function}({_PLACE}) -> i64", [_NUMBERS, *lines, "return i"])
        return self._passed[wrote["name"]]

    def _default(self, field: Any) -> str:
        if "default" not in field:
            raise Unresolvable("missing_default", f"{field['name']} was not written, and has no default")
        try:
            value = value_of(field["type"], field["default"], self._known, as_written=self._as_written)
        except ValueError as error:
            raise Unresolvable("missing_default", f"the default of {field['name']} is none: {error}") from error
        expression = repr(value)
        # no two records may share one list
        return expression if isinstance(value, (list, dict)) else self._source.value(expression)
