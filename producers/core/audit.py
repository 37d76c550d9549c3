"""What an audit holds to be a difference. Pure: the shell reads Odoo and the topics.

Rules
- The versions of a record are 1, 2, 3 … on its topic. A version that is there twice, or late, is *doubled*; one left out is *lost*. On
  a compacted topic versions are left out by design.
- Any later event mends a double: it tells the state again. Only a repair mends a loss: what was lost does not come back, but somebody looked.
- A state that Odoo's row does not give again is *wrong*; a record that Odoo has and the topic has not is *missing*; one that
  the topic has and Odoo has not is a *phantom*.
- Figures are whole numbers on both sides: ids as they are, money in ten thousandths, time in minutes. Odoo keeps hours, and every line was
  rounded to its minute: sums of time may differ by half a minute a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from producers.core.mapping.base import Sum

Kind = Literal["missing", "wrong", "phantom", "doubled", "lost"]
EVER = ""
"""The period of records that have no day."""
MONTHS = 24
"""So many months of a model are told apart in figures; those before are told together."""
OLDER, UNDATED = "older", "none"


class Trouble(NamedTuple):
    """What is odd about the events of a record."""

    kind: Kind
    detail: str


def trouble(known: tuple[int, bytes] | None, version: int, raw: bytes, *, compacted: bool) -> Trouble | None:
    """What is odd about an event, given version and bytes of the one with the highest version before it on its topic."""
    if known is None:
        return Trouble("lost", f"it begins with version {version}") if version != 1 and not compacted else None
    before, same = known[0], raw == known[1]
    if version == before:
        return Trouble(
            "doubled", f"version {version} is there twice, with {'the same' if same else 'different'} content"
        )
    if version < before:
        return Trouble("doubled", f"version {version} comes after version {before}")
    if version > before + 1 and not compacted:
        return Trouble("lost", f"version {version} comes after version {before}")
    return None


def mends(mode: str) -> frozenset[Kind]:
    """The troubles of a record's earlier events that a newer one of this mode mends."""
    return frozenset({"doubled", "lost"}) if mode == "repair" else frozenset({"doubled"})


@dataclass(frozen=True, slots=True)
class Figures:
    """How many records there are, the sum of their ids, and the sums of a mapping's table."""

    count: int
    ids: int
    sums: tuple[int, ...]

    def __sub__(self, other: Figures) -> Figures:
        return Figures(
            self.count - other.count,
            self.ids - other.ids,
            tuple(mine - its for mine, its in zip(self.sums, other.sums, strict=True)),
        )


def nothing(table: Sequence[Sum]) -> Figures:
    """The figures of no records."""
    return Figures(0, 0, (0,) * len(table))


def figures_of(table: Sequence[Sum], state: Mapping[str, Any]) -> list[int]:
    """What one state adds to each sum of a table."""
    return [int((state[one.of] or 0) * one.scale) for one in table]


def odoo_figures(table: Sequence[Sum], row: Mapping[str, Any]) -> Figures:
    """Figures from a row of Odoo's `formatted_read_group`; what it sums of nothing is False."""
    sums = tuple(round((row.get(f"{one.field}:sum") or 0) * one.factor) for one in table)
    return Figures(int(row["__count"]), int(row.get("id:sum") or 0), sums)


def aggregates(table: Sequence[Sum]) -> list[str]:
    """What to ask of `formatted_read_group` for `odoo_figures`."""
    return ["__count", "id:sum", *(f"{one.field}:sum" for one in table)]


def agree(table: Sequence[Sum], odoo: Figures, topic: Figures) -> bool:
    """Whether both sides say the same, as far as rounding lets them."""
    return (odoo.count, odoo.ids) == (topic.count, topic.ids) and all(
        abs(mine - its) <= one.slack * odoo.count for one, mine, its in zip(table, odoo.sums, topic.sums, strict=True)
    )


def gaps(
    lines: Iterable[tuple[str, str, Sequence[Sum], Figures, Figures]],
) -> dict[tuple[str, str, str], float]:
    """By model, period and figure, what the topic says less what Odoo says: of records always, of ids and sums where they differ.

    `lines` are model, month, table, and the figures of Odoo and of the topic. Of each model the newest months stand for themselves.
    """
    known = [(model, month, dict(_named(table, odoo, topic))) for model, month, table, odoo, topic in lines]
    newest: dict[str, set[str]] = {}
    for model in {model for model, _, _ in known}:
        newest[model] = set(sorted({month for one, month, _ in known if one == model and month})[-MONTHS:])
    found: dict[tuple[str, str, str], float] = {}
    for model, month, differences in known:
        period = month if month in newest[model] else OLDER if month else UNDATED
        for figure, value in {"records": 0.0, **differences}.items():
            place = (model, period, figure)
            found[place] = found.get(place, 0.0) + value
    return found


def _named(table: Sequence[Sum], odoo: Figures, topic: Figures) -> Iterable[tuple[str, float]]:
    """The figures that differ by more than rounding explains, each in its own unit."""
    apart = topic - odoo
    if apart.count:
        yield "records", apart.count
    if apart.ids:
        yield "ids", apart.ids
    for one, value in zip(table, apart.sums, strict=True):
        if abs(value) > one.slack * odoo.count:
            yield one.of, value / one.scale


def period_of(value: object) -> str:
    """The month of a day or moment, as `YYYY-MM`, whether it is a value of ours or Odoo's text for a group."""
    if isinstance(value, date | datetime):
        return f"{value:%Y-%m}"
    if isinstance(value, list | tuple) and value:
        value = value[0]
    return value[:7] if isinstance(value, str) and value else EVER


def differing(before: Mapping[str, Any] | None, current: Mapping[str, Any] | None, changed: Iterable[str]) -> str:
    """In words, what a topic says and what Odoo says."""
    if before is None or current is None:
        return "it is not on the topic" if before is None else "it is not in Odoo"
    return "; ".join(f"{name} is {before.get(name)}, in Odoo {current[name]}" for name in changed)
