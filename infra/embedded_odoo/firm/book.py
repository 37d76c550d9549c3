"""Where the pure history is written down: rows by model and pairs by relation table, with ids and stamps."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

from infra.embedded_odoo.seed import ADMIN, COMPANY, EUR

_OWNED = frozenset(
    {
        "account.analytic.account",
        "account.analytic.line",
        "account.move",
        "account.payment",
        "crm.lead",
        "hr.department",
        "hr.employee",
        "hr.expense",
        "hr.leave",
        "hr.version",
        "purchase.order",
        "purchase.order.line",
        "res.users",
        "resource.calendar.leaves",
        "resource.resource",
        "sale.order",
    },
)
_PRICED = frozenset(
    {"account.analytic.line", "account.move", "account.payment", "hr.expense", "purchase.order", "sale.order"}
)


class Book:
    """Rows to insert as they are, the period they cover, and the source of chance that shapes them."""

    def __init__(self, last_ids: Mapping[str, int], rng: Random, first: date, today: date, before: str) -> None:
        """Number new records after the last id of each model; no stamp will lie after `before`."""
        self.rng, self.first, self.today, self.before = rng, first, today, before
        self.rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.links: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self._last = defaultdict(int, last_ids)

    def add(self, model: str, at: str, values: Mapping[str, Any], changed: str = "") -> int:
        """A record created `at` a moment and last written when it `changed`; its id."""
        self._last[model] += 1
        row: dict[str, Any] = {"id": self._last[model], "create_uid": ADMIN, "write_uid": ADMIN}
        row |= {"create_date": at, "write_date": max(changed or at, at)}
        if model in _OWNED:
            row["company_id"] = COMPANY
        if model in _PRICED:
            row["currency_id"] = EUR
        self.rows[model].append(row | dict(values))
        return self._last[model]

    def upcoming(self, model: str) -> int:
        """The id that the next record of a model will have."""
        return self._last[model] + 1

    def link(self, table: str, first: int, second: int) -> None:
        """A pair in a relation table, its columns in alphabetical order."""
        self.links[table].append((first, second))
