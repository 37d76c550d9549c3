"""Writers for the compiler: the functions of `schemas.compiled.writing`, with the bytes put into one buffer instead of a list of pieces.

In Python a call for each number would cost more than a table of them; as machine code it costs next to nothing.
"""

from __future__ import annotations

from typing import Any

from schemas.compiled.writing import Compiler
from schemas.freezing import parsed


def buffered_text(schema: Any, *, as_written: bool) -> str:
    """The text of a writer that writes what the one of `writing.writer_text` does, for those who make it ahead."""
    return _Buffered(parsed(schema), as_written=as_written).text()


class _Buffered(Compiler):
    head = "a: BytesWriter"

    def text(self) -> str:
        self._source.function("within(v: Any, a: BytesWriter) -> None", self._write(self._schema, "v"))
        body = ["a = BytesWriter()", "within(v, a)", "add((a.getvalue(),))"]
        self._source.function("root(v: Any, add: Add) -> None", body)
        return self._source.text()

    def added(self, *pieces: str) -> str:
        return "; ".join(f"a.write({piece})" for piece in pieces)

    def flag(self, value: str) -> str:
        return f"put_flag(a, {value})"

    def number(self, kind: str, value: str, name: str) -> str:  # noqa: ARG002  nothing is asked twice
        return f"put_{kind}(a, {value})"

    def sized(self, value: str, name: str) -> str:  # noqa: ARG002  nothing is asked twice
        return f"put_bytes(a, {value})"
