"""A second opinion: random firms, whose measures are computed again by SQL over the source's tables as they are at the end.

It is deliberately naive and shares nothing with the processors: no rows, no versions, no increments; it sums what the tables hold.
Every history has edits, moves, deletions, duplicates and late versions, which the tables know nothing of.
"""

from __future__ import annotations

import os
import random
import sqlite3
from decimal import Decimal
from typing import Any

from streams.core import Measures
from tests.unit.streams.core.world import SECOND, Source, World, instant, key

FIRMS = int(os.environ.get("BURNLINE_TEST_FIRMS", "100"))
TODAY = 20_543  # a Monday
WINDOW = Measures().utilization.window_days
TABLES = """
CREATE TABLE line (id INTEGER PRIMARY KEY, employee INT, project INT, day INT, minutes INT, billable INT, approved INT, leave INT, cost INT);
CREATE TABLE leave (id INTEGER PRIMARY KEY, employee INT, first INT, last INT, approved INT);
CREATE TABLE expense (id INTEGER PRIMARY KEY, project INT, amount INT, spent INT);
"""
WORKED = """
SELECT COALESCE(SUM(minutes), 0), COALESCE(SUM(minutes * billable), 0), COALESCE(SUM(minutes * approved), 0)
FROM line WHERE employee = ? AND project IS NOT NULL AND NOT leave AND day BETWEEN ? AND ?
"""
AVAILABLE = """
WITH RECURSIVE days(day) AS (SELECT ? UNION ALL SELECT day + 1 FROM days WHERE day < ?)
SELECT 480 * COUNT(*) FROM days WHERE (day + 3) % 7 < 5
AND NOT EXISTS (SELECT 1 FROM leave WHERE employee = ? AND approved AND days.day BETWEEN first AND last)
"""
BURN = """
SELECT COALESCE(SUM(minutes), 0), COALESCE(SUM(minutes * approved), 0),
COALESCE(SUM(cost), 0) + (SELECT COALESCE(SUM(amount), 0) FROM expense WHERE project = ?1 AND spent) FROM line WHERE project = ?1
"""


class Firm:
    """A firm at work: each change goes to the tables and becomes an event."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  a firm that disagrees can be had again
        self.tables = sqlite3.connect(":memory:")
        self.tables.executescript(TABLES)
        self.source = Source()
        self.people, self.projects = range(1, 4), range(1, 3)
        self.events: list[tuple[str, Any]] = [
            *(self.source.consultant(number) for number in self.people),
            *(self.source.project(number) for number in self.projects),
        ]
        for _ in range(self.chance.randrange(20, 60)):
            self.chance.choice((self.line, self.line, self.line, self.leave, self.expense))()

    def line(self) -> None:
        chance, number = self.chance, self.chance.randrange(1, 15)
        if self._deleted("line", number):
            self.events.append(self.source.timesheet(number, None))
            return
        cost = chance.randrange(0, 50_000)
        state = {
            "employee_id": chance.choice((None, *self.people)),
            "project_id": chance.choice((None, *self.projects)),
            "date": TODAY - chance.randrange(-3, 60),
            "minutes": chance.choice((0, 15, 60, 480, 1500, -60)),
            "billable": chance.random() < 0.6,
            "approved": chance.random() < 0.5,
            "leave": chance.random() < 0.1,
        }
        self.tables.execute("REPLACE INTO line VALUES (?,?,?,?,?,?,?,?,?)", (number, *state.values(), cost))
        self.events.append(self.source.timesheet(number, {**state, "cost": Decimal(cost).scaleb(-4)}))

    def leave(self) -> None:
        chance, number = self.chance, self.chance.randrange(1, 6)
        if self._deleted("leave", number):
            self.events.append(self.source.absence(number, None))
            return
        first = TODAY - chance.randrange(0, 40)
        last, person, approved = first + chance.randrange(0, 6), chance.choice(self.people), chance.random() < 0.7
        self.tables.execute("REPLACE INTO leave VALUES (?,?,?,?,?)", (number, person, first, last, approved))
        state = {
            "employee_id": person,
            "first_day": first,
            "last_day": last,
            "status": "approved" if approved else "refused",
        }
        self.events.append(self.source.absence(number, state))

    def expense(self) -> None:
        chance, number = self.chance, self.chance.randrange(1, 6)
        if self._deleted("expense", number):
            self.events.append(self.source.expense(number, None))
            return
        amount, project, spent = chance.randrange(0, 90_000), chance.choice(self.projects), chance.random() < 0.7
        self.tables.execute("REPLACE INTO expense VALUES (?,?,?,?)", (number, project, amount, spent))
        state = {
            "amount": Decimal(amount).scaleb(-4),
            "shares": [(project, "1")],
            "status": "paid" if spent else "submitted",
        }
        self.events.append(self.source.expense(number, state))

    def _deleted(self, table: str, number: int) -> bool:
        return self.chance.random() < 0.15 and bool(
            self.tables.execute(f"DELETE FROM {table} WHERE id = ?", (number,)).rowcount  # noqa: S608  three names of ours
        )

    def asked(self, query: str, *arguments: int) -> tuple[int, ...]:
        found: tuple[int, ...] = self.tables.execute(query, arguments).fetchone()
        return found


def test_random_firms_are_measured_as_sql_measures_them() -> None:
    for seed in range(FIRMS):
        firm = Firm(seed)
        events = firm.events + firm.chance.sample(firm.events, 10)  # some come twice
        firm.chance.shuffle(events)  # topics, and versions, in any order
        world = World().feed(*events)
        world.feed(Source.tick(instant("1970-01-01") + (TODAY * 86_400 + 43_200) * SECOND))
        first = TODAY - WINDOW + 1
        for person in firm.people:
            said = world.utilization(person)
            found = (
                said["available_minutes"],
                said["worked_minutes"],
                said["billable_minutes"],
                said["approved_minutes"],
            )
            expected = firm.asked(AVAILABLE, first, TODAY, person) + firm.asked(WORKED, person, first, TODAY)
            assert found == expected, f"firm {seed}, consultant {person}"
        for project in firm.projects:
            burn = world.burn(project)
            sums = burn["actual_minutes"], burn["approved_minutes"], int(burn["actual_cost"].scaleb(4))
            assert sums == firm.asked(BURN, project), f"firm {seed}, project {project}"


HIERARCHY = """
CREATE TABLE line (id INTEGER PRIMARY KEY, employee INT, day INT, minutes INT);
CREATE TABLE reports (seq INTEGER PRIMARY KEY, employee INT, day INT, manager INT);
"""
BELOW = """
WITH RECURSIVE over(day, minutes, id, person, manager) AS (
  SELECT day, minutes, id, employee, employee FROM line WHERE day BETWEEN :first AND :today
  UNION
  SELECT day, minutes, id, person, (
    SELECT r.manager FROM reports r WHERE r.employee = over.manager AND r.day <= over.day ORDER BY seq DESC LIMIT 1)
  FROM over WHERE manager IS NOT NULL
)
SELECT manager, SUM(minutes) FROM over WHERE manager <> person GROUP BY manager
"""


def test_random_hierarchies_are_summed_as_sql_sums_them() -> None:
    """Whoever worked is below all who were above on that day, however many levels, and circles end."""
    for seed in range(FIRMS // 2):
        chance, source, tables = random.Random(seed), Source(), sqlite3.connect(":memory:")  # noqa: S311  see above
        tables.executescript(HIERARCHY)
        events, people = [], range(1, 7)
        for person in people:
            for day in sorted({0, *chance.sample(range(TODAY - 40, TODAY), chance.randrange(3))}):
                manager = chance.choice((None, *people))
                tables.execute("INSERT INTO reports (employee, day, manager) VALUES (?, ?, ?)", (person, day, manager))
                events.append(source.consultant(person, at=(day * 86_400 + 43_200) * SECOND, manager_id=manager))
        for number in range(1, 25):
            person, day, minutes = chance.choice(people), TODAY - chance.randrange(45), chance.randrange(1, 500)
            tables.execute("INSERT INTO line VALUES (?, ?, ?, ?)", (number, person, day, minutes))
            events.append(source.timesheet(number, {"employee_id": person, "date": day, "minutes": minutes}))
        chance.shuffle(events)
        world = World().feed(*events, Source.tick((TODAY * 86_400 + 43_200) * SECOND)).drain()
        found = dict(tables.execute(BELOW, {"first": TODAY - WINDOW + 1, "today": TODAY}).fetchall())
        for person in people:
            known = ("utilization-rollup", key("hr.employee", person)) in world.encoded
            told = world.measure("utilization-rollup", key("hr.employee", person))["worked_minutes"] if known else 0
            assert told == found.get(person, 0), f"firm {seed}, manager {person}"
