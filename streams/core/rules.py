"""How rules are named: what an alert says of those by which it was judged, so that anyone can find them again.

A name is a digest of what a measure is judged by, so the same rules have the same name on every worker, in a replay and after a restart, and two
names differ wherever a threshold, window, band or owner does. It does not depend on how a number is written (0.5 or 0.50) or in which order keys stand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from streams.core.policy import Measures

DIGITS = 12
"""Hexadecimal digits of a name: a firm has tens of rules in its life, and two of a million would meet by a chance of one in 500."""


class InForce(NamedTuple):
    """The name of rules, and the day of a subject from which they hold; none where they hold from the beginning."""

    name: str
    begins: date | None

    @classmethod
    def of(cls, rules: object, begins: date | None = None) -> InForce:
        """The name of one measure's rules."""
        text = json.dumps(plain(rules), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return cls(hashlib.sha256(text.encode()).hexdigest()[:DIGITS], begins)


class Section(NamedTuple):
    """The rules of one measure, or of all monitors, from a day on."""

    measure: str
    in_force: InForce
    rules: object


def eras(policy: Measures) -> Iterator[tuple[date | None, Measures]]:
    """The rules that hold from the beginning, and those that come into force later, each with its day."""
    yield None, policy
    for era in policy.later:
        yield era.begins, era.rules


def sections(policy: Measures) -> Iterator[Section]:
    """Each measure's rules, under the name that its alerts give them, in the order of their days."""
    for begins, rules in eras(policy):
        for field in fields(rules):
            if field.name != "later":
                value = getattr(rules, field.name)
                yield Section(field.name, InForce.of(value, begins), value)


def plain(value: Any) -> Any:
    """Rules as JSON has them; a number is written in one way."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value
