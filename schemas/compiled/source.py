"""The text of functions that are being written: their lines, their names, and the values of `schemas.compiled.values` they refer to.

Nothing of a schema becomes code but numbers and quoted strings: names in the text are all made here.

A text can have been made machine code beforehand, under the name that `fingerprint` gives it (`schemas.compiled.ahead`); then that
is used. So it is the text that counts: another schema, or another way of writing functions, is never taken for it.
"""

from __future__ import annotations
import __future__

import datetime as dt
import hashlib
import importlib
import math
from decimal import Decimal
from types import CodeType, ModuleType
from typing import Any

from schemas.compiled import values

_DEFAULTS = {"datetime": dt, "Decimal": Decimal, "inf": math.inf, "nan": math.nan}
"""What Python calls the values that a field's default may be, when it writes them down."""
AHEAD = "schemas.compiled.ahead"
"""The package of what was made beforehand."""


class Source:
    """Functions under construction."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._constants: list[str] = []
        self._functions: list[str] = []
        self._count = 0

    def name(self, kind: str) -> str:
        """A name that no other thing in this text has."""
        self._count += 1
        return f"{kind}{self._count}"

    def value(self, expression: str) -> str:
        """A name under which the text finds what this expression makes, once."""
        name = self.name("k")
        self._constants.append(f"{name}: Final = {expression}")
        return name

    def function(self, head: str, lines: list[str]) -> None:
        """Add a function: its head without `def`, its body without indentation of its own."""
        self._functions.append("\n    ".join([f"def {head}:", *lines]))

    def text(self) -> str:
        """All of it."""
        return "\n".join([*self._constants, *self._functions])


def finished(text: str, name: str) -> Any:
    """The function of this name out of a text, ready to be called."""
    made = _made_ahead(fingerprint(text))
    if made is not None:
        return vars(made)[name]
    names: dict[str, Any] = {**vars(values), **_DEFAULTS}
    exec(_code(text), names)  # noqa: S102  the text is ours: numbers and quoted strings are all it has of a schema
    return names[name]


def fingerprint(text: str) -> str:
    """The name of the module that has this text."""
    return f"f{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _made_ahead(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"{AHEAD}.{name}")
    except ModuleNotFoundError:
        return None


def _code(text: str) -> CodeType:
    # annotations are for the compiler: nobody evaluates them
    code: CodeType = compile(text, "<compiled from an Avro schema>", "exec", flags=__future__.annotations.compiler_flag)
    return code


def indented(lines: list[str]) -> list[str]:
    """The lines one step further in."""
    return [f"    {line}" for line in lines]
