"""A second opinion on disputes: random firms, whose invoices are aged again by SQL, day by day, over what the tables say.

It is deliberately naive: every invoice has a row for every day, which says whether anybody held it in dispute on that day; episodes, ages,
clocks and what there is to alert are counted off those rows. Histories have payments, moves, corrections, deletions, duplicates and late
versions, which the tables know nothing of.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from decimal import Decimal
from typing import Any

from streams.core import Measures
from tests.unit.streams.core.world import SECOND, Source, World, key

FIRMS = int(os.environ.get("BURNLINE_TEST_FIRMS", "50"))
TODAY = 20_543  # a Monday
DAYS = 130
NOON = 43_200
RULES = Measures().dispute_aging
TABLES = """
CREATE TABLE invoice (id INTEGER PRIMARY KEY, client INT, due INT, residual INT, posted INT, present INT);
CREATE TABLE settled (invoice INT, seq INTEGER PRIMARY KEY, day INT, settled INT, residual INT);
CREATE TABLE contested (invoice INT, source TEXT, seq INT, amount INT, opened INT, PRIMARY KEY (invoice, source));
CREATE TABLE said (invoice INT, source TEXT, seq INTEGER PRIMARY KEY, day INT, status TEXT);
CREATE TABLE day (day INTEGER PRIMARY KEY);
"""
SPOKEN = """
CREATE TABLE spoken AS SELECT c.invoice, c.source, day.day, (
  SELECT status FROM said WHERE said.invoice = c.invoice AND said.source = c.source AND said.day <= day.day
  ORDER BY seq DESC LIMIT 1) AS status
FROM contested c, day
"""
STATE = """
CREATE TABLE state AS SELECT invoice, day, CASE
    WHEN said = 0 THEN NULL
    WHEN held = 0 THEN closed
    WHEN (SELECT settled FROM settled s WHERE s.invoice = t.invoice AND s.day <= t.day ORDER BY seq DESC LIMIT 1) THEN 'resolved'
    WHEN escalated THEN 'escalated' WHEN awaiting THEN 'awaiting_customer' ELSE 'open' END AS status
FROM (
  SELECT invoice, day, COUNT(status) AS said,
    TOTAL(status NOT IN ('resolved', 'withdrawn')) AS held,
    TOTAL(status = 'escalated') AS escalated, TOTAL(status = 'awaiting_customer') AS awaiting,
    (SELECT status FROM spoken s WHERE s.invoice = spoken.invoice AND s.day = spoken.day AND status IS NOT NULL
     ORDER BY source DESC LIMIT 1) AS closed
  FROM spoken GROUP BY invoice, day
) t
"""
OPEN = "CREATE VIEW held AS SELECT invoice, day FROM state WHERE status NOT IN ('resolved', 'withdrawn')"
CLOSING = """
CREATE VIEW closing AS SELECT invoice, day FROM state s WHERE status IN ('resolved', 'withdrawn')
AND NOT EXISTS (SELECT 1 FROM state b WHERE b.invoice = s.invoice AND b.day = s.day - 1 AND b.status IN ('resolved', 'withdrawn'))
"""
BEGINNING = """
CREATE TABLE beginning AS
SELECT invoice, MIN(day) AS day FROM state WHERE status IS NOT NULL GROUP BY invoice
UNION
SELECT invoice, day FROM held h
WHERE NOT EXISTS (SELECT 1 FROM held b WHERE b.invoice = h.invoice AND b.day = h.day - 1)
AND NOT EXISTS (SELECT 1 FROM closing c WHERE c.invoice = h.invoice AND c.day BETWEEN h.day - :window AND h.day)
"""
AGED = """
CREATE TABLE aged AS SELECT state.invoice, state.day, status, status NOT IN ('resolved', 'withdrawn') AS held,
  (SELECT COUNT(*) FROM beginning b WHERE b.invoice = state.invoice AND b.day <= state.day) AS episode,
  (SELECT MAX(day) FROM beginning b WHERE b.invoice = state.invoice AND b.day <= state.day) AS opened
FROM state WHERE status IS NOT NULL
"""
COUNTED = """
CREATE TABLE counted AS SELECT a.*,
  a.day - opened AS days,
  (SELECT COUNT(*) FROM aged b WHERE b.invoice = a.invoice AND b.episode = a.episode AND b.day < a.day
   AND b.status IN ('open', 'escalated')) AS clock,
  (SELECT COUNT(*) FROM day WHERE day.day > opened AND day.day <= a.day AND (day.day + 3) % 7 < 5) AS business,
  (SELECT COUNT(*) FROM day WHERE day.day > opened AND (day.day + 3) % 7 < 5 AND day.day <= COALESCE(
     (SELECT MIN(day) FROM aged b WHERE b.invoice = a.invoice AND b.episode = a.episode AND b.day <= a.day AND b.status <> 'open'),
     a.day)) AS response,
  EXISTS (SELECT 1 FROM closing c WHERE c.invoice = a.invoice AND c.day < a.day) AS again
FROM aged a
"""
LAST = """
SELECT a.episode, a.opened, e.day, a.status, e.days, e.business, e.clock, e.response,
  e.day - (SELECT due FROM invoice WHERE id = a.invoice)
FROM counted a JOIN counted e ON e.invoice = a.invoice AND e.day = CASE WHEN a.held THEN a.day ELSE (
  SELECT MAX(day) FROM closing c WHERE c.invoice = a.invoice) END
WHERE a.invoice = ? AND a.day = ?
"""
HOLDING = """
CREATE VIEW holding AS SELECT c.*, s.day FROM contested c JOIN spoken s ON s.invoice = c.invoice AND s.source = c.source
WHERE s.status NOT IN ('resolved', 'withdrawn')
"""
AMOUNT = """
SELECT CASE WHEN held THEN MIN(residual, COALESCE(
  (SELECT amount FROM holding h WHERE h.invoice = counted.invoice AND h.day = counted.day AND amount IS NOT NULL ORDER BY seq DESC LIMIT 1),
  (SELECT residual FROM settled WHERE invoice = counted.invoice AND residual > 0 AND seq = (
     SELECT COALESCE(MAX(seq), (SELECT MIN(seq) FROM settled f WHERE f.invoice = counted.invoice)) FROM settled t
     WHERE t.invoice = counted.invoice AND t.day <= (
       SELECT opened FROM holding h WHERE h.invoice = counted.invoice AND h.day = counted.day ORDER BY seq DESC LIMIT 1))),
  residual)) ELSE 0 END
FROM counted JOIN invoice ON invoice.id = counted.invoice WHERE invoice = ? AND day = ?
"""
TOLD = """
SELECT invoice, 'dispute_aging.bucket', line.name, episode FROM counted, line WHERE held AND days >= line.at
UNION SELECT invoice, 'dispute_aging.sla', 'resolution', episode FROM counted WHERE held AND clock > :resolution
UNION SELECT invoice, 'dispute_aging.sla', 'first_response', episode FROM counted WHERE held AND response > :response
UNION SELECT invoice, 'dispute_aging.reopened', 'reopened', episode FROM counted WHERE held AND again
"""


class Firm:
    """A firm that argues with its clients, day after day; a plain one tells everything on its day, and takes nothing back."""

    def __init__(self, seed: int, *, plain: bool) -> None:
        self.chance = random.Random(seed)  # noqa: S311  a firm that disagrees can be had again
        self.plain = plain
        self.tables = sqlite3.connect(":memory:")
        self.tables.executescript(TABLES)
        self.tables.executemany("INSERT INTO day VALUES (?)", [(TODAY - place,) for place in range(DAYS + 30)])
        self.source, self.events = Source(), []  # type: tuple[Source, list[tuple[str, Any]]]
        self.invoices: dict[int, dict[str, Any]] = {}
        self.disputes: dict[tuple[int, str], dict[str, Any]] = {}
        self.begun: dict[tuple[int, str], int] = {}
        self.seq = 0
        for number in (1, 2, 3):
            self.invoices[number] = {"residual": 10_000, "partner_id": 1 + number % 2, "due_date": TODAY - 20 * number}
            self.invoice(number, TODAY - DAYS - 20)
        for day in range(TODAY - DAYS, TODAY + 1):
            if self.chance.random() < 0.25:
                self.happens(self.chance.choice((1, 2, 3)), day)
            if plain:
                self.events.append(tick(day))
        for statement in (SPOKEN, STATE, OPEN, CLOSING, HOLDING):
            self.tables.execute(statement)
        self.tables.execute(BEGINNING, {"window": RULES.reopening_window_days})
        for statement in (AGED, COUNTED, "CREATE TABLE line (name TEXT, at INT)"):
            self.tables.execute(statement)
        lines = [(RULES.bucket(end + 1), end + 1) for end in RULES.bucket_ends]
        self.tables.executemany("INSERT INTO line VALUES (?, ?)", lines)

    def happens(self, number: int, day: int) -> None:
        if self.chance.random() < 0.3:
            self.accounting(number, day)
        else:
            self.arguing(number, self.chance.choice(("odoo:db", "helpdesk")), day)

    def accounting(self, number: int, day: int) -> None:
        chance, state = self.chance, self.invoices[number]
        what = chance.choice(("paid in part", "paid", "unpaid", "moved", "credited", "due"))
        if what == "paid in part":
            state["residual"] = max(1, state["residual"] // 2)
        elif what == "paid":
            state["residual"] = 0
        elif what == "unpaid":
            state |= {"residual": 8_000, "payment_status": "not_paid"}
        elif what == "moved" and not self.plain:
            state["partner_id"] = 3 - state["partner_id"]
        elif what == "credited":
            state["payment_status"] = "reversed"
        elif what == "due":
            state["due_date"] = chance.choice((None, day + 10)) if not self.plain else day
        self.invoice(number, day)

    def invoice(self, number: int, day: int) -> None:
        state, self.seq = self.invoices[number], self.seq + 1
        settled = state["residual"] <= 0 or state.get("payment_status") == "reversed"
        self.tables.execute(
            "INSERT INTO settled VALUES (?, ?, ?, ?, ?)", (number, self.seq, day, settled, state["residual"])
        )
        row = (number, state["partner_id"], state["due_date"], state["residual"], 1, 1)
        self.tables.execute("REPLACE INTO invoice VALUES (?, ?, ?, ?, ?, ?)", row)
        self.events.append(self.source.invoice(number, at=at(day), **state))

    def arguing(self, number: int, source: str, day: int) -> None:
        chance, place = self.chance, (number, source)
        state = self.disputes.get(place)
        if state is not None and not self.plain and chance.random() < 0.07:
            for table in ("said", "contested"):
                self.tables.execute(f"DELETE FROM {table} WHERE invoice = ? AND source = ?", place)  # noqa: S608  two names of ours
            del self.disputes[place]
            self.events.append(self.source.dispute(number, None, at=at(day), source=source))
            return
        if state is None or state["status"] in {"resolved", "withdrawn"}:
            self.opening(place, day)
            return
        what = chance.choice(("open", "awaiting_customer", "escalated", "resolved", "withdrawn", "earlier", "amount"))
        if what == "earlier":
            self.earlier(place)
        elif what == "amount":
            state["amount"] = chance.choice((None, chance.randrange(1, 12_000)))
        else:
            state |= {"status": what, "closed_on": day if what in {"resolved", "withdrawn"} else None}
            self.say(place, day, what)
        self.publish(place, day)

    def opening(self, place: tuple[int, str], day: int) -> None:
        before = self.disputes.get(place)
        back = 0 if self.plain or before is not None else self.chance.randrange(8)
        opened = day - back if before is None or self.chance.random() < 0.7 else before["opened_on"]
        amount = self.chance.choice((None, self.chance.randrange(1, 12_000)))
        self.disputes[place] = {"status": "open", "opened_on": opened, "closed_on": None, "amount": amount}
        self.say(place, day if before is not None else opened, "open")
        self.begun[place] = self.seq
        self.publish(place, day)

    def earlier(self, place: tuple[int, str]) -> None:
        """It turns out that it was opened earlier, though not before it had been closed the last time."""
        state = self.disputes[place]
        (begun,) = self.asked("SELECT day FROM said WHERE seq = ?", self.begun[place])
        (closed,) = self.asked(
            "SELECT COALESCE(MAX(day), 0) FROM said WHERE invoice = ? AND source = ? AND status IN ('resolved', 'withdrawn')",
            *place,
        )
        if self.plain or state["opened_on"] != begun:
            return
        state["opened_on"] = max(begun - self.chance.randrange(1, 9), closed + 1)
        self.tables.execute("UPDATE said SET day = ? WHERE seq = ?", (state["opened_on"], self.begun[place]))

    def say(self, place: tuple[int, str], day: int, status: str) -> None:
        self.seq += 1
        self.tables.execute("INSERT INTO said VALUES (?, ?, ?, ?, ?)", (*place, self.seq, day, status))

    def publish(self, place: tuple[int, str], day: int) -> None:
        state, self.seq = self.disputes[place], self.seq + 1
        contested = (*place, self.seq, state["amount"], state["opened_on"])
        self.tables.execute("REPLACE INTO contested VALUES (?, ?, ?, ?, ?)", contested)
        self.events.append(self.source.dispute(place[0], state, at=at(day) + self.seq, source=place[1]))

    def asked(self, query: str, *arguments: Any) -> Any:
        return self.tables.execute(query, arguments).fetchone()


def at(day: int) -> int:
    return (day * 86_400 + NOON) * SECOND


def tick(day: int) -> tuple[str, Any]:
    return Source.tick(at(day) + SECOND)


def said(measured: Any) -> tuple[Any, ...]:
    opened = measured["opened_on"].toordinal() - 719_163
    return (
        measured["episode"],
        opened,
        opened + measured["days_open"],
        measured["status"],
        measured["days_open"],
        measured["business_days_open"],
        measured["sla_days"],
        measured["response_business_days"],
        measured["days_past_due"],
    )


def test_random_disputes_are_aged_as_sql_ages_them() -> None:
    for seed in range(FIRMS):
        firm = Firm(seed, plain=False)
        events = firm.events + firm.chance.sample(firm.events, min(10, len(firm.events)))  # some come twice
        firm.chance.shuffle(events)  # topics, and versions, in any order
        world = World().feed(*events, tick(TODAY)).drain()
        exposure: Counter[int] = Counter()
        for number, state in firm.invoices.items():
            found = firm.asked(LAST, number, TODAY)
            measured = ("dispute-aging", key("account.move", number)) in world.encoded
            if found is None:
                assert not measured or "dispute_deleted" in world.aging(number)["reasons"], f"firm {seed}, {number}"
                continue
            aging = world.aging(number)
            assert said(aging) == found, f"firm {seed}, invoice {number}"
            (amount,) = firm.asked(AMOUNT, number, TODAY)
            assert aging["amount"] == Decimal(amount), f"firm {seed}, invoice {number}"
            assert aging["bucket_open"] == RULES.bucket(found[4])
            exposure[state["partner_id"]] += amount
        for client in (1, 2):
            owed = sum(one["residual"] for one in firm.invoices.values() if one["partner_id"] == client)
            known = world.encoded.get(("client-exposure", key("res.partner", client)))
            sums = (
                (world.exposure(client)["disputed_amount"], world.exposure(client)["receivable_amount"])
                if known
                else (0, 0)
            )
            assert sums == (exposure[client], owed), f"firm {seed}, client {client}"


def test_random_disputes_are_told_as_sql_tells_them() -> None:
    """Where everything is known on its day, what was ever in force, raised or passed over, is what some day gave cause for."""
    promised = {"resolution": RULES.resolution_days, "response": RULES.first_response_business_days}
    for seed in range(FIRMS // 4):
        firm = Firm(seed, plain=True)
        world = World().feed(*firm.events)
        told: Counter[tuple[int, str, str, int]] = Counter()
        in_force: Counter[int] = Counter()
        for alert in (one["current"] | {"about": one["meta"]["subject"]} for one in world.alerts):
            if not alert["rule"].startswith("dispute_aging."):
                continue
            invoice = int(alert["about"].rpartition(":")[2])
            in_force[invoice] += {"raised": 1, "cleared": -1}[alert["status"]]
            if alert["status"] == "raised":
                told.update(
                    (invoice, alert["rule"], level, alert["episode"]) for level in (alert["level"], *alert["passed"])
                )
        assert told == Counter(firm.tables.execute(TOLD, promised).fetchall()), f"firm {seed}"
        for number in firm.invoices:
            held = firm.asked("SELECT held FROM aged WHERE invoice = ? AND day = ?", number, TODAY)
            assert not in_force[number] or held == (1,), f"firm {seed}, invoice {number}"
