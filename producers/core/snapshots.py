"""Snapshots that are asked for: what a signal does to them. Pure: a state and a signal give the states that change.

States: waiting → running → done; waiting or running ↔ paused; each of these → stopped. One that cannot be is `refused`, with why.

Rules
- Signals are applied in the order of their offsets, each once: every state carries the offset of the last signal applied, and what is not
  beyond the highest of them was applied already. What that leaves out had no effect, and has none if it is applied again.
- Of the snapshots that are over the newest are remembered, and always the one that knows of the last signal: without it old signals
  would be applied once more.
- A filter speaks of declared fields only, with operators that a person can judge; ids and conditions are about one model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.errors import PoisonMessage
from schemas.records import CaptureSignal, CaptureSnapshot, SnapshotState

LIVING: frozenset[str] = frozenset({"waiting", "running", "paused"})
KEPT = 20
"""So many snapshots that are over are remembered."""
OPERATORS = frozenset({"=", "!=", ">", ">=", "<", "<=", "in", "not in"})
_CHANGES: dict[str, tuple[frozenset[str], SnapshotState]] = {
    "pause": (frozenset({"waiting", "running"}), "paused"),
    "resume": (frozenset({"paused"}), "waiting"),
    "stop": (LIVING, "stopped"),
}

Term = tuple[str, str, Any]


def applied(snapshots: Iterable[CaptureSnapshot]) -> int:
    """The offset of the last signal that these states know of."""
    return max((one["signal_offset"] for one in snapshots), default=-1)


def outlived(snapshots: Iterable[CaptureSnapshot]) -> list[str]:
    """The ids of those that are over and need not be remembered any more."""
    known = list(snapshots)
    last = applied(known)
    over = [one for one in known if one["state"] not in LIVING]
    over.sort(key=lambda one: one["ended_at"] or one["asked_at"], reverse=True)
    return [one["snapshot_id"] for one in over[KEPT:] if one["signal_offset"] != last]


def steer(
    snapshots: Mapping[str, CaptureSnapshot],
    signal: CaptureSignal,
    offset: int,
    *,
    declared: Mapping[str, Sequence[str]],
    now: datetime,
) -> list[CaptureSnapshot]:
    """The states that a signal changes. `declared` are the fields of every model that is captured."""
    if offset <= applied(snapshots.values()):
        return []
    if signal["command"] == "start":
        return [] if signal["signal_id"] in snapshots else [_started(signal, offset, declared, now)]
    if signal["command"] not in _CHANGES:
        raise PoisonMessage(
            f"a signal with the command {signal['command']}", remedy="send start, pause, resume or stop"
        )
    before, after = _CHANGES[signal["command"]]
    return [
        {**one, "state": after, "ended_at": now if after == "stopped" else None, "signal_offset": offset}
        for one in snapshots.values()
        if one["state"] in before and signal["snapshot_id"] in (None, one["snapshot_id"])
    ]


def _started(
    signal: CaptureSignal, offset: int, declared: Mapping[str, Sequence[str]], now: datetime
) -> CaptureSnapshot:
    why = None
    try:
        models = checked(signal, declared)
    except PoisonMessage as error:
        why, models = f"{error}; {error.remedy}", signal["models"]
    return {
        "snapshot_id": signal["signal_id"],
        "state": "waiting" if why is None else "refused",
        "models": models,
        "record_ids": signal["record_ids"],
        "domain": signal["domain"],
        "rows_per_second": signal["rows_per_second"],
        "asked_at": signal["asked_at"],
        "began_at": None,
        "ended_at": None if why is None else now,
        "model": None,
        "after_id": 0,
        "rows": 0,
        "rows_expected": None,
        "events": 0,
        "working_millis": 0,
        "why": why,
        "signal_offset": offset,
    }


def checked(signal: CaptureSignal, declared: Mapping[str, Sequence[str]]) -> list[str]:
    """The models of a start, in the order of capture. Raises `PoisonMessage` for a filter that cannot be."""
    models = signal["models"] or list(declared)
    unknown = sorted(set(models) - set(declared))
    if unknown:
        raise PoisonMessage(f"{', '.join(unknown)} is not captured here", remedy=f"name some of {', '.join(declared)}")
    if (signal["record_ids"] or signal["domain"]) and len(models) != 1:
        raise PoisonMessage("ids and conditions are about one model", remedy="name one model")
    if signal["rows_per_second"] is not None and signal["rows_per_second"] < 1:
        raise PoisonMessage("a rate below one row a second", remedy="pause the snapshot, or name a rate")
    if signal["domain"]:
        terms(signal["domain"], declared[models[0]])
    return [model for model in declared if model in set(models)]


def terms(domain: str | None, fields: Sequence[str]) -> tuple[Term, ...]:
    """A condition as Odoo takes it. Raises `PoisonMessage` for what is none, or names a field that is not declared."""
    if not domain:
        return ()
    try:
        told = json.loads(domain)
    except ValueError:
        told = None
    if not isinstance(told, list):
        raise PoisonMessage("the condition is no JSON list", remedy='write it like [["date", ">=", "2026-01-01"]]')
    known = {"id", "create_date", "write_date", *fields}
    found: list[Term] = []
    for term in told:
        if not isinstance(term, list) or len(term) != 3 or not isinstance(term[0], str):
            raise PoisonMessage(f"{term!r} is no condition", remedy="write [field, operator, value]")
        name, operator, value = term
        if name not in known:
            raise PoisonMessage(f"the field {name} is not declared", remedy=f"use some of {', '.join(sorted(known))}")
        if operator not in OPERATORS:
            raise PoisonMessage(f"no operator {operator!r}", remedy=f"use one of {' '.join(sorted(OPERATORS))}")
        found.append((name, operator, value))
    return tuple(found)


def seconds_left(one: CaptureSnapshot) -> float | None:
    """How long a snapshot will go on at the pace it had, and not faster than its ceiling; None where nothing can be said yet."""
    if one["rows_expected"] is None or not one["rows"]:
        return None
    left = max(0, one["rows_expected"] - one["rows"])
    return left * one["working_millis"] / one["rows"] / 1000
