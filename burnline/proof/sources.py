"""Ways to the source's own rows: its SQLite file, its PostgreSQL, or, with neither, its RPC."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from burnline.proof import compare, queries, tables
from burnline.proof.compare import Verdict
from burnline.proof.tables import Select


def sqlite_file(path: Path) -> Select:
    """Select from the embedded Odoo's own database, which may be at work."""

    def select(statement: str) -> Iterable[Sequence[Any]]:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as source:
            return source.execute(statement).fetchall()

    return select


def prove(
    select: Select,
    *,
    firm_fields: bool,
    measures: Mapping[str, Mapping[str, Mapping[str, Any]]],
    book: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Verdict]:
    """A verdict for each measure. `measures` are the latest ones by measure and subject's key.

    They are compared as of the newest day among them, so that one left behind on an older day shows as different.
    """
    memory = tables.fill(select, firm_fields=firm_fields, book=book)
    memory.row_factory = sqlite3.Row
    questions = {
        "utilization": ("utilization", "consultant_id", queries.UTILIZATION, compare.UTILIZATION),
        "budget_burn": ("budget-burn", "project_id", queries.BUDGET_BURN, compare.BUDGET_BURN),
        "dispute_aging": ("dispute-aging", "invoice_id", queries.DISPUTE_AGING, compare.DISPUTE_AGING),
    }
    verdicts = {}
    for name, (measure, key, query, fields) in questions.items():
        by_id = {row[key]: row for row in measures[measure].values()}
        days: set[date] = {row["as_of"] for row in by_id.values()} or {date.min}
        proven = [
            dict(row) for row in memory.execute(query, {"as_of": max(days).isoformat(), "window": _window(by_id)})
        ]
        verdicts[name] = compare.compare(fields, by_id, proven)
    memory.close()
    return verdicts


def _window(measures: Mapping[int, Mapping[str, Any]]) -> int:
    return next((row["window_days"] for row in measures.values() if "window_days" in row), 28)
