"""Exact figures and days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import days
from streams.core.ratios import OUT_OF_RANGE, Quality, half_even, money, unscaled_money


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (5, -2, -2), (9, 4, 2), (11, 4, 3), (0, 3, 0)],
)
def test_ties_go_to_the_even_neighbour(numerator: int, denominator: int, expected: int) -> None:
    assert half_even(numerator, denominator) == expected


@given(st.integers(), st.integers().filter(bool))
def test_half_even_rounds_as_python_rounds_fractions(numerator: int, denominator: int) -> None:
    assert half_even(numerator, denominator) == round(Fraction(numerator, denominator))


def test_what_cannot_be_told_is_null_with_a_reason() -> None:
    quality = Quality("first")
    assert quality.ratio(1, 0, "nothing_there") is None
    assert quality.share(Fraction(10**10)) is None
    assert quality.amount(Fraction(10**20)) is None
    assert quality.reasons() == ["first", "nothing_there", OUT_OF_RANGE]
    assert quality.share(Fraction(10**9) - Fraction(1, 10**9)) == Decimal("999999999.999999999")


def test_money_keeps_four_places() -> None:
    assert str(money(-12_345)) == "-1.2345"
    assert unscaled_money(Decimal("0.00005")) == 0
    assert unscaled_money(Decimal("1000.5")) == 10_005_000


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
def test_days_agree_with_the_calendar(start: date, length: int) -> None:
    first = start.toordinal() - date(1970, 1, 1).toordinal()
    assert days.to_date(first) == start
    assert days.weekday(first) == start.weekday()
    assert days.weekday(days.monday(days.iso_week(first))) == 0
    assert 0 <= first - days.monday(days.iso_week(first)) < 7
    span = range(first + 1, first + length + 1)
    assert days.business_days(first, first + length) == sum(days.to_date(day).weekday() < 5 for day in span)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        pytest.param("UTC", 0, id="where the day began with the epoch"),
        pytest.param("Pacific/Auckland", 0, id="half a day ahead, still the same day"),
        pytest.param("America/Los_Angeles", -1, id="still the day before"),
        pytest.param("No/Where", 0, id="an unknown zone ends its days in UTC"),
        pytest.param("../etc/passwd", 0, id="a path is no zone"),
        pytest.param("", 0, id="no zone at all"),
    ],
)
def test_local_days(zone: str, expected: int) -> None:
    assert days.local_day(0, zone) == expected


def test_a_day_begins_at_its_local_midnight() -> None:
    assert days.midnight(0, "Europe/Brussels") == -3_600_000_000
    assert days.local_day(days.midnight(20_000, "America/New_York"), "America/New_York") == 20_000
    assert days.local_day(days.midnight(20_000, "America/New_York") - 1, "America/New_York") == 19_999
