"""The text of a function that is being written: its lines, its names, and the values it refers to.

Nothing of a schema becomes code but numbers and quoted strings: names in the text are all made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Source:
    """Functions under construction."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Begin with the values that all functions of this kind refer to."""
        self._values = dict(values)
        self._functions: list[str] = []
        self._count = 0

    def name(self, kind: str) -> str:
        """A name that no other thing in this text has."""
        self._count += 1
        return f"{kind}{self._count}"

    def value(self, value: object) -> str:
        """A name under which the text finds this value."""
        name = self.name("k")
        self._values[name] = value
        return name

    def function(self, head: str, lines: list[str]) -> None:
        """Add a function: its head without `def`, its body without indentation of its own."""
        self._functions.append("\n    ".join([f"def {head}:", *lines]))

    def finished(self, name: str) -> Any:
        """The function of this name, ready to be called."""
        code = compile("\n".join(self._functions), "<compiled from an Avro schema>", "exec")
        exec(code, self._values)  # noqa: S102  the text is ours: numbers and quoted strings are all it has of a schema
        return self._values[name]


def indented(lines: list[str]) -> list[str]:
    """The lines one step further in."""
    return [f"    {line}" for line in lines]
