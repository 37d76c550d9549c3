"""The proof's SQL gives the worked examples of the definitions, and its comparison finds what differs."""

from __future__ import annotations

import sqlite3
from datetime import date
from decimal import Decimal

import pytest

from burnline.proof import compare, queries, tables


def filled(**rows):
    """The proof's tables from rows given by name; tables that are not given stay empty."""

    def select(statement):
        name = next(
            key for key, sql in tables.SOURCES.items() if sql.format(dispute_fields=tables.FIRM_FIELDS) == statement
        )
        return rows.get(name.partition(" ")[0], [])

    memory = tables.fill(select, firm_fields=True)
    memory.row_factory = sqlite3.Row
    return memory


WEEK = [(1, str(day), 480) for day in range(5)]
MARCH_HOLIDAY = ("2026-03-24 23:00:00", "2026-03-25 22:59:59", None, 1, "Europe/Brussels")


def consultant(lines, *, first_day=None):
    return filled(
        employee=[(1, 1, 1, first_day, None)],
        attendance=WEEK,
        raw_holiday=[MARCH_HOLIDAY],
        leave=[(1, "2026-03-12", "2026-03-13", 16.0)],
        line=lines,
    )


BILLABLE = [
    (1, 5, f"2026-03-{day:02d}", 8.0, -400.0, "billable_time", None)
    for day in (2, 3, 4, 5, 6, 9, 10, 11, 16, 17, 18, 19)
]
INTERNAL = [
    (1, 6, "2026-03-27", 8.0, -400.0, "non_billable", None),
    (1, 6, "2026-03-26", 8.0, -400.0, "non_billable", None),
    (1, 6, "2026-03-24", 4.0, -200.0, "non_billable", None),
]
LEAVE = [(1, 7, "2026-03-12", 8.0, -400.0, "non_billable", 9), (1, 7, "2026-03-13", 8.0, -400.0, "non_billable", 9)]


@pytest.mark.parametrize(
    ("lines", "as_of", "expected"),
    [
        pytest.param(
            BILLABLE + INTERNAL + LEAVE,
            "2026-03-29",
            (136 * 60, 116 * 60, 96 * 60),
            id="the worked example: 136 h available, leave lines ignored",
        ),
        pytest.param(
            [*BILLABLE, *INTERNAL, (1, 5, "2026-03-05", 6.0, -300.0, "billable_fixed", None)],
            "2026-03-29",
            (136 * 60, 122 * 60, 102 * 60),
            id="a late line counts on its own day",
        ),
        pytest.param([], "2026-03-29", (136 * 60, 0, 0), id="nobody works, somebody was available"),
    ],
)
def test_utilization_in_sql(lines, as_of, expected):
    row = consultant(lines).execute(queries.UTILIZATION, {"as_of": as_of, "window": 28}).fetchone()
    assert (row["available_minutes"], row["worked_minutes"], row["billable_minutes"]) == expected


def test_nobody_is_available_before_the_first_day_of_employment():
    row = (
        consultant([], first_day="2026-03-23")
        .execute(queries.UTILIZATION, {"as_of": "2026-03-29", "window": 28})
        .fetchone()
    )
    assert row["available_minutes"] == 4 * 8 * 60


def test_budget_burn_in_sql():
    memory = filled(
        project=[(5, 200.0, 77), (6, 0.0, None)],
        line=[(1, 5, "2026-03-05", 150.0, -15_000.0, "billable_time", None)],
        expense=[(100.0, '{"77": 50, "12,77": 25}'), (40.0, '{"177": 100}')],
        purchase=[(5, 900.0, 300.0)],
    )
    burnt, empty = memory.execute(queries.BUDGET_BURN).fetchall()
    assert (burnt["budget_minutes"], burnt["actual_minutes"]) == (12_000, 9_000)
    assert (burnt["actual_cost"], burnt["committed_cost"]) == (153_750_000, 159_750_000)
    assert empty["budget_minutes"] is None


@pytest.mark.parametrize(
    ("move", "status", "amount"),
    [
        pytest.param(
            (1, "posted", "not_paid", "2026-01-31", 10_000.0, "open", "2026-02-10", 4_000.0),
            "open",
            40_000_000,
            id="part of it is contested",
        ),
        pytest.param(
            (1, "posted", "partial", "2026-01-31", 3_000.0, "open", "2026-02-10", 4_000.0),
            "open",
            30_000_000,
            id="never more than what is unpaid",
        ),
        pytest.param(
            (1, "posted", "blocked", "2026-01-31", 10_000.0, "none", None, None),
            "open",
            100_000_000,
            id="blocked contests all of it",
        ),
        pytest.param(
            (1, "posted", "not_paid", "2026-01-31", 10_000.0, "resolved", "2026-02-10", None),
            "resolved",
            0,
            id="resolved exposes nothing",
        ),
    ],
)
def test_disputes_in_sql(move, status, amount):
    row = filled(move=[move]).execute(queries.DISPUTE_AGING, {"as_of": "2026-03-12"}).fetchone()
    assert (row["status"], row["amount"], row["days_past_due"]) == (status, amount, 40)


PROVEN = {"id": 1, "available_minutes": 8160, "worked_minutes": 6960, "billable_minutes": 5760}


@pytest.mark.parametrize(
    ("measured", "different"),
    [
        pytest.param({1: {"available_minutes": 8160, "worked_minutes": 6960, "billable_minutes": 5760}}, 0, id="equal"),
        pytest.param(
            {1: {"available_minutes": 8160, "worked_minutes": 6961, "billable_minutes": 5761}},
            1,
            id="a subject counts once",
        ),
        pytest.param({}, 1, id="a measure that is missing"),
        pytest.param(
            {2: {"available_minutes": 8160, "worked_minutes": 6960, "billable_minutes": 5760}},
            1,
            id="another subject's measure",
        ),
    ],
)
def test_comparison(measured, different):
    verdict = compare.compare(compare.UTILIZATION, measured, [PROVEN])
    assert verdict.summary() == {"compared": 1, "different": different}


@pytest.mark.parametrize(
    ("name", "measured", "proven", "equal"),
    [
        pytest.param("actual_cost", 1_000_000, 1_000_100, True, id="a cent of floating point"),
        pytest.param("actual_cost", 1_000_000, 1_000_101, False, id="more than a cent"),
        pytest.param("worked_minutes", 60, 61, False, id="a minute is a minute"),
        pytest.param("budget_minutes", None, None, True, id="no budget on both sides"),
        pytest.param("budget_minutes", None, 0, False, id="nothing is not zero"),
    ],
)
def test_values(name, measured, proven, equal):
    assert compare.same(name, measured, proven) is equal


def test_values_become_what_sql_tells():
    assert compare.plain(Decimal("12.3400")) == 123_400
    assert compare.plain(date(2026, 3, 5)) == "2026-03-05"
