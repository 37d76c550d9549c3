"""People who work in a real Odoo while its servers are being killed: what was not answered may or may not be done, and is not tried again."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import odoorpc

from tests.support.odoo_lab import OwnLab

NEVER = 77.0
"""Hours, and a price, that are only ever written in transactions that are rolled back."""
NEVER_DUE = "2001-01-01"
"""A due day of that kind."""
OVERLAP = 6.0
"""Seconds that the capture looks back; transactions are held open for up to twice as long."""
HELD = {
    "account_analytic_line": ("unit_amount", "project_id is not null", lambda chance: chance.randrange(1, 32) / 4, NEVER),
    "account_move": (
        "invoice_date_due",
        "move_type = 'out_invoice'",
        lambda chance: f"'2026-04-{chance.randrange(1, 29):02}'",
        f"'{NEVER_DUE}'",
    ),
}  # fmt: skip
"""By table what a held transaction writes: a column, into which rows, with which value when it commits, and when it is rolled back."""


class Desk:
    """One log-in, from which a person does one thing after the other."""

    def __init__(self, lab: OwnLab, done: Counter[str]) -> None:
        self._lab, self._done = lab, done
        self._rpc: Any = None

    def __call__(self, model: str, method: str, *words: Any, **named: Any) -> Any:
        if self._rpc is None:
            rpc = odoorpc.ODOO("127.0.0.1", port=self._lab.port, timeout=20)
            rpc.login(self._lab.db, self._lab.user, self._lab.password)
            self._rpc = rpc
        return self._rpc.execute_kw(model, method, list(words), named)

    def tries(self, do: Callable[[], str]) -> bool:
        """Do it and count it by the name that it returns; whether it was answered."""
        try:
            self._done[do()] += 1
        except Exception as error:  # noqa: BLE001  servers are being killed
            self._done[f"failed: {type(error).__name__}"] += 1
            if not isinstance(error, odoorpc.error.RPCError):
                self._rpc = None
            return False
        return True


class Consultant:
    """Writes time: creates, edits, edits in masses, deletes, archives, and what is rolled back."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self._do, self._chance = desk, chance
        self._lines: list[int] = []
        self._project = self._employee = 0

    def forget(self) -> None:
        """Whether its lines are there is not known any more."""
        self._lines.clear()

    def act(self) -> str:
        """One thing, and its name."""
        do, chance, lines = self._do, self._chance, self._lines
        if not self._project or chance.random() < 0.02:
            self._project = do("project.project", "create", {"name": f"drill {chance.random()}", "allow_timesheets": True})  # fmt: skip
            self._employee = do("hr.employee", "create", {"name": f"drill {chance.random()}", "hourly_cost": 50.0})
        hours, line = chance.randrange(1, 32) / 4, "account.analytic.line"
        values = {
            "name": "drill",
            "project_id": self._project,
            "employee_id": self._employee,
            "unit_amount": hours,
            "date": "2026-03-05",
        }
        kinds = ["create", "edit", "mass edit", "delete", "archive", "rollback", "noise"]
        kind = chance.choices(kinds, [30, 30, 5, 10, 5, 10, 10])[0]
        if kind == "create" or not lines:
            lines += do(line, "create", [values] * chance.randrange(1, 5))
            return "create"
        if kind == "edit":
            do(line, "write", [chance.choice(lines)], {"unit_amount": hours})
        elif kind == "mass edit":
            do(line, "write", lines[-200:], {"unit_amount": hours})
        elif kind == "delete":
            do(line, "unlink", [lines.pop(chance.randrange(len(lines)))])
        elif kind == "archive":
            model, record = chance.choice([("project.project", self._project), ("hr.employee", self._employee)])
            do(model, "write", [record], {"active": chance.random() < 0.5})
        elif kind == "rollback":
            with suppress(odoorpc.error.RPCError):
                do(line, "create", [{**values, "unit_amount": NEVER}, {**values, "no_such_field": 1}])
        else:
            do(line, "write", [chance.choice(lines)], {"name": f"drill {chance.random()}"})
        return kind


class Bookkeeper:
    """Writes invoices, posts them, takes payments in full and in part, writes credit notes, disputes, takes back, cancels and deletes."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self._do, self._chance = desk, chance
        self._drafts: list[int] = []
        self._posted: list[int] = []
        self._client = 0

    def forget(self) -> None:
        """What became of its invoices is not known any more."""
        self._drafts.clear()
        self._posted.clear()

    def act(self) -> str:
        """One thing, and its name. What Odoo refuses (a payment of what is paid) is done by name all the same: nothing came of it."""
        chance = self._chance
        if not self._client or chance.random() < 0.05:
            self._client = self._do("res.partner", "create", {"name": f"drill {chance.random()}", "is_company": True})
        kinds = ["invoice", "post", "pay", "credit", "dispute", "back to draft", "drop", "unpay", "invoice rolled back"]
        kind = chance.choices(kinds, [25, 20, 20, 8, 10, 4, 5, 4, 4])[0]
        if kind == "invoice" or not self._drafts:
            lines = [(0, 0, {"name": "drill", "quantity": 1, "price_unit": float(chance.randrange(100, 900))})]
            self._drafts.append(self._do("account.move", "create", {**self._invoice, "invoice_line_ids": lines}))
            return "invoice"
        if kind == "post" or not self._posted:
            move = self._drafts.pop(chance.randrange(len(self._drafts)))
            self._do("account.move", "action_post", [move])
            self._posted.append(move)
            return "post"
        if kind == "drop":
            move = self._drafts.pop(chance.randrange(len(self._drafts)))
            self._do("account.move", chance.choice(["unlink", "button_cancel"]), [move])
        elif kind == "invoice rolled back":
            lines = [(0, 0, {"name": "drill", "quantity": 1, "price_unit": NEVER, "tax_ids": [(5,)]})]
            with suppress(odoorpc.error.RPCError):
                self._do("account.move", "create", [{**self._invoice, "invoice_line_ids": lines}, {"no_such_field": 1}])
        else:
            self._with_posted(kind, chance.choice(self._posted))
        return kind

    @property
    def _invoice(self) -> dict[str, Any]:
        return {"move_type": "out_invoice", "partner_id": self._client, "invoice_date": "2026-03-05"}

    def _with_posted(self, kind: str, move: int) -> None:
        do, chance = self._do, self._chance
        about = {"active_model": "account.move", "active_ids": [move]}
        if kind == "pay":
            part = {"amount": float(chance.randrange(1, 99))} if chance.random() < 0.5 else {}
            wizard = do("account.payment.register", "create", {"payment_date": "2026-03-09", **part}, context=about)
            do("account.payment.register", "action_create_payments", [wizard], context=about)
        elif kind == "credit":
            (row,) = do("account.move", "read", [move], ["journal_id"])
            values = {"reason": "drill", "date": "2026-03-10", "journal_id": row["journal_id"][0]}
            wizard = do("account.move.reversal", "create", values, context=about)
            do("account.move.reversal", "refund_moves", [wizard], context=about)
            self._drafts += do("account.move", "search", [("reversed_entry_id", "=", move), ("state", "=", "draft")])
        elif kind == "dispute":
            do("account.move", "action_toggle_block_payment", [move])
        elif kind == "back to draft":
            do("account.move", "button_draft", [move])
            self._posted.remove(move)
            self._drafts.append(move)
        elif payments := do("account.payment", "search", [("invoice_ids", "in", [move]), ("state", "!=", "canceled")]):
            do("account.payment", chance.choice(["action_draft", "action_cancel", "action_reject"]), payments[:1])


class Firm:
    """Two consultants, two bookkeepers, and one who holds transactions open for up to twice the overlap; each a thread with a log-in of its own."""

    def __init__(self, lab: OwnLab, chance: random.Random) -> None:
        self._lab, self._over = lab, threading.Event()
        self.done: Counter[str] = Counter()
        roles = (Consultant, Consultant, Bookkeeper, Bookkeeper)
        self._threads = [
            threading.Thread(target=self._clicks, args=(role, random.Random(chance.random())))  # noqa: S311  a drill's choices
            for role in roles
        ]
        self._threads.append(threading.Thread(target=self._holds, args=(random.Random(chance.random()),)))  # noqa: S311  as above
        for thread in self._threads:
            thread.start()

    def _clicks(self, role: type[Consultant | Bookkeeper], chance: random.Random) -> None:
        desk = Desk(self._lab, self.done)
        person = role(desk, chance)
        while not self._over.wait(0.02):
            if not desk.tries(person.act):
                person.forget()

    def _holds(self, chance: random.Random) -> None:
        while not self._over.wait(0.2):
            seconds = chance.uniform(0.5, 2 * OVERLAP)
            ends = chance.choice(["commit", "commit", "rollback"])
            table = chance.choice(list(HELD))
            column, where, value, never = HELD[table]
            told = never if ends == "rollback" else value(chance)
            held = self._lab.try_sql(
                f"begin; update {table} set {column} = {told}, write_date = now() at time zone 'utc' "  # noqa: S608  names and numbers of our own
                f"where id in (select id from {table} where {where} order by random() limit 3 for update skip locked); "
                f"select pg_sleep({seconds}); {ends}"
            )
            self.done[f"held, {ends}" if held else "held, killed"] += 1

    def end(self) -> None:
        """Return when all of them have stopped."""
        self._over.set()
        for thread in self._threads:
            thread.join()
