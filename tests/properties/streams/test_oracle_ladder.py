"""A second opinion on the ladders of budgets: random firms, whose every crossing of a level is told again by SQL.

It is deliberately naive: after every change the budget and what was spent of it are summed anew from all that stood in the source at that moment, and
each level walks through those moments alone, as the definition says: in force once the burn is at it, out of force once the burn is below it by more than the
hysteresis, raised where it is the highest that was reached, else passed over. Which levels are crossed depends on the way, so changes come in their order here; what
comes twice, or in an older version, comes at any time.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from streams.core import Measures
from tests.unit.streams.core.world import SECOND, Source, World, key

FIRMS = int(os.environ.get("BURNLINE_TEST_FIRMS", "30"))
NOON = 20_543 * 86_400 * SECOND + 43_200 * SECOND
RULES = Measures().budget_burn
PROJECTS = (1, 2)
TABLES = """
CREATE TABLE moment (seq INTEGER PRIMARY KEY);
CREATE TABLE line (seq INT, id INT, project INT, person INT, minutes INT, cost INT, PRIMARY KEY (id, seq));
CREATE TABLE bought (seq INT, id TEXT, project INT, actual INT, committed INT, PRIMARY KEY (id, seq));
CREATE TABLE budget (seq INT, project INT, minutes INT, cost INT, active INT, PRIMARY KEY (project, seq));
CREATE TABLE level (level INTEGER PRIMARY KEY);
"""
WORKED = """
CREATE TABLE worked AS SELECT moment.seq, project, person, SUM(minutes) AS minutes, SUM(cost) AS cost
FROM moment, line WHERE line.seq = (SELECT MAX(seq) FROM line l WHERE l.id = line.id AND l.seq <= moment.seq) AND project IS NOT NULL
GROUP BY moment.seq, project, person
"""
SPENT = """
CREATE TABLE spent AS SELECT moment.seq, project, SUM(actual) AS actual, SUM(committed) AS committed
FROM moment, bought WHERE bought.seq = (SELECT MAX(seq) FROM bought b WHERE b.id = bought.id AND b.seq <= moment.seq)
GROUP BY moment.seq, project
"""
RATE = """
CREATE TABLE rate AS SELECT seq, project, CASE COUNT(*) WHEN 1 THEN SUM(cost) ELSE SUM(cost) * SUM(minutes) - SUM(cost * minutes) END AS cost,
  CASE COUNT(*) WHEN 1 THEN SUM(minutes) ELSE 2 * MIN(minutes) * MAX(minutes) END AS minutes
FROM worked WHERE person IS NOT NULL AND minutes > 0 GROUP BY seq, project
"""
"""The mean of what a minute of each of at most two people costs, as a fraction: c/m, or (c1 m2 + c2 m1) / (2 m1 m2)."""
BURN = """
CREATE TABLE burn AS
WITH budgeted AS (
  SELECT moment.seq, project, minutes, cost FROM moment, budget WHERE active
  AND budget.seq = (SELECT MAX(seq) FROM budget b WHERE b.project = budget.project AND b.seq <= moment.seq)
), sums AS (
  SELECT b.*,
    (SELECT TOTAL(w.minutes) FROM worked w WHERE w.seq = b.seq AND w.project = b.project) AS worked,
    (SELECT TOTAL(w.cost) FROM worked w WHERE w.seq = b.seq AND w.project = b.project)
    + (SELECT TOTAL(s.actual) FROM spent s WHERE s.seq = b.seq AND s.project = b.project) AS paid,
    (SELECT TOTAL(s.committed) FROM spent s WHERE s.seq = b.seq AND s.project = b.project) AS committed,
    (SELECT r.cost FROM rate r WHERE r.seq = b.seq AND r.project = b.project) AS rate_cost,
    (SELECT r.minutes FROM rate r WHERE r.seq = b.seq AND r.project = b.project) AS rate_minutes
  FROM budgeted b
), money AS (
  SELECT *, CASE WHEN cost > 0 THEN cost WHEN minutes > 0 AND rate_cost > 0 THEN minutes * rate_cost END AS whole,
    CASE WHEN cost > 0 THEN 1 ELSE rate_minutes END AS parts
  FROM sums
)
SELECT seq, project, 'hours' AS what, CAST(worked AS INT) AS spent, minutes AS budget FROM sums WHERE minutes > 0
UNION ALL SELECT seq, project, 'cost', CAST(paid AS INT) * parts, whole FROM money WHERE whole IS NOT NULL
UNION ALL SELECT seq, project, 'committed', CAST(paid + committed AS INT) * parts, whole FROM money WHERE whole IS NOT NULL
"""
LADDER = """
CREATE TABLE ladder AS
WITH RECURSIVE reached AS (
  SELECT seq, project, what, level, 100 * spent >= level * budget AS there, 100 * spent < (level - :hysteresis) * budget AS gone,
    level = MAX(level) FILTER (WHERE 100 * spent >= level * budget) OVER (PARTITION BY seq, project, what) AS top
  FROM burn, level
), walk(project, what, level, seq, state, episode) AS (
  SELECT DISTINCT project, what, level, 0, 'clear', 0 FROM reached
  UNION ALL
  SELECT w.project, w.what, w.level, w.seq + 1,
    CASE WHEN there IS NULL OR gone THEN 'clear' WHEN state = 'clear' AND there AND top THEN 'raised'
      WHEN state = 'clear' AND there THEN 'passed' ELSE state END,
    episode + (state = 'clear' AND COALESCE(there, 0))
  FROM walk w JOIN moment m ON m.seq = w.seq + 1
  LEFT JOIN reached r ON r.seq = m.seq AND r.project = w.project AND r.what = w.what AND r.level = w.level
)
SELECT * FROM walk
"""
TOLD = """
SELECT now.level, CASE now.state WHEN 'clear' THEN 'cleared' ELSE 'raised' END, now.episode, CASE now.state WHEN 'raised' THEN (
  SELECT GROUP_CONCAT(level) FROM (SELECT p.level FROM ladder p JOIN ladder b USING (project, what, level)
    WHERE p.project = now.project AND p.what = now.what AND p.seq = now.seq AND b.seq = now.seq - 1
    AND p.state = 'passed' AND b.state = 'clear' ORDER BY p.level)) END
FROM ladder now JOIN ladder before USING (project, what, level)
WHERE before.seq = now.seq - 1 AND project = ? AND what = ? AND (
  (now.state = 'raised' AND before.state = 'clear') OR (now.state = 'clear' AND before.state = 'raised'))
ORDER BY now.seq, now.state = 'raised', now.level
"""
IN_FORCE = """
SELECT level FROM ladder WHERE project = ? AND what = ? AND seq = (SELECT MAX(seq) FROM moment) AND state <> 'clear' ORDER BY level
"""


class Firm:
    """A firm that spends its budgets: each change is a moment of the tables, and becomes an event."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  a firm that disagrees can be had again
        self.tables = sqlite3.connect(":memory:")
        self.tables.executescript(TABLES)
        self.tables.executemany("INSERT INTO level VALUES (?)", [(level,) for level in RULES.all_levels])
        self.source, self.seq = Source(), 0
        self.events: list[tuple[str, Any]] = [self.source.tick(NOON)]
        for project in PROJECTS:
            self.budget(project)
        kinds: tuple[Callable[[], None], ...] = (self.line, self.line, self.line, self.line, self.expense, self.order)
        for _ in range(self.chance.randrange(15, 45)):
            self.budget(self.chance.choice(PROJECTS)) if self.chance.random() < 0.12 else self.chance.choice(kinds)()
        for statement in (WORKED, SPENT, RATE, "CREATE INDEX at ON worked (seq, project)", BURN):
            self.tables.execute(statement)
        self.tables.execute(LADDER, {"hysteresis": RULES.hysteresis_points})
        self.tables.execute("CREATE INDEX step ON ladder (project, what, seq, level)")

    def keep(self, table: str, *values: Any) -> None:
        """A moment at which this was written."""
        self.seq += 1
        self.tables.execute("INSERT INTO moment VALUES (?)", (self.seq,))
        if values:
            self.tables.execute(f"INSERT INTO {table} VALUES (?{', ?' * len(values)})", (self.seq, *values))  # noqa: S608  three names of ours

    def budget(self, project: int) -> None:
        chance = self.chance
        minutes = chance.choice((600, 600, 1200, 3000, 0, None))
        cost = chance.choice((None, None, 0, 100_000, 250_000))
        active = chance.random() < 0.9
        self.keep("budget", project, minutes, cost, active)
        money = None if cost is None else Decimal(cost).scaleb(-4)
        self.events.append(self.source.project(project, budget_minutes=minutes, budget_cost=money, active=active))

    def line(self) -> None:
        chance, number = self.chance, self.chance.randrange(1, 9)
        if chance.random() < 0.12:
            self.keep("line", number, None, None, None, None)
            self.events.append(self.source.timesheet(number, None))
            return
        state = {"project_id": chance.choice(PROJECTS), "employee_id": chance.choice((None, 1, 1, 2))}
        minutes, rate = chance.choice((6, 6, 12, 60, 120, 300, 450, -60)), chance.choice((100, 100, 150))
        cost = minutes * rate
        self.keep("line", number, *state.values(), minutes, cost)
        self.events.append(
            self.source.timesheet(number, {**state, "minutes": minutes, "cost": Decimal(cost).scaleb(-4)})
        )

    def expense(self) -> None:
        chance, number = self.chance, self.chance.randrange(1, 4)
        project, amount, spent = chance.choice(PROJECTS), 500 * chance.randrange(0, 60), chance.random() < 0.7
        self.keep("bought", f"expense {number}", project, amount * spent, 0)
        state = {"amount": Decimal(amount).scaleb(-4), "shares": [(project, "1")]}
        self.events.append(self.source.expense(number, {**state, "status": "paid" if spent else "submitted"}))

    def order(self) -> None:
        chance, number = self.chance, self.chance.randrange(1, 4)
        project, amount, confirmed = chance.choice(PROJECTS), 1000 * chance.randrange(0, 60), chance.random() < 0.8
        billed = chance.choice((0, 0, amount // 2, amount + 500))
        self.keep("bought", f"order {number}", project, billed * confirmed, max(0, amount - billed) * confirmed)
        state = {"project_id": project, "status": "confirmed" if confirmed else "cancelled"}
        money = {"amount": Decimal(amount).scaleb(-4), "billed_amount": Decimal(billed).scaleb(-4)}
        self.events.append(self.source.purchase(number, state | money))

    def with_echoes(self) -> list[tuple[str, Any]]:
        """All events in their order; some come again later, when newer versions may have come."""
        told = list(self.events)
        for _ in range(8):
            place = self.chance.randrange(1, len(told))
            told.insert(self.chance.randrange(place, len(told)) + 1, told[place])
        return told

    def asked(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return self.tables.execute(query, arguments).fetchall()


def test_random_budgets_are_climbed_as_sql_climbs_them() -> None:
    for seed in range(FIRMS):
        firm, world = Firm(seed), World()
        events = firm.with_echoes()
        restart = firm.chance.randrange(len(events))
        world = world.feed(*events[:restart]).drain().restarted(firm.chance).feed(*events[restart:])
        for project in PROJECTS:
            burn = world.burn(project)
            for what in ("hours", "cost", "committed"):
                told = [
                    (int(one["level"]), one["status"], one["episode"], ",".join(one["passed"]) or None)
                    for one in (alert["current"] for alert in world.alerts if alert["meta"]["subject"] == key("project.project", project))
                    if one["rule"] == f"budget_burn.{what}"
                ]  # fmt: skip
                assert told == firm.asked(TOLD, project, what), f"firm {seed}, {what} of project {project}"
                levels = [level for level in burn["levels"] if level.startswith(f"{what}:")]
                expected = [f"{what}:{level}" for (level,) in firm.asked(IN_FORCE, project, what)]
                assert levels == expected, f"firm {seed}, {what} of project {project}"
