"""How Odoo's values become ours."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from producers.core import values


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(8.0, 480, id="a full day"),
        pytest.param(7.6, 456, id="a float that binary cannot hold is read by its decimal text"),
        pytest.param(0.3333333333333333, 20, id="a third of an hour is twenty minutes"),
        pytest.param(0.125, 8, id="seven and a half minutes round up"),
        pytest.param(0.1249, 7, id="below the half rounds down"),
        pytest.param(-0.125, -8, id="a negative half rounds away from zero, as Decimal's half up does"),
        pytest.param(False, 0, id="Odoo says False for nothing"),
    ],
)
def test_hours_become_minutes_rounded_half_up(hours: object, expected: int) -> None:
    assert values.minutes(hours) == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        pytest.param(0.1 + 0.2, "0.3000", id="the noise of floats is beyond four digits"),
        pytest.param(1e16, "10000000000000000.0000", id="large amounts keep every digit"),
        pytest.param(2.00005, "2.0001", id="half up"),
        pytest.param(False, "0.0000", id="nothing is zero"),
    ],
)
def test_money_has_four_digits(amount: object, expected: str) -> None:
    assert str(values.money(amount)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param([7, "Name"], 7, id="with its name"),
        pytest.param(7, 7, id="bare"),
        pytest.param(False, None, id="False is no id 0"),
        pytest.param(True, None, id="True is no id 1"),
        pytest.param([], None, id="empty"),
    ],
)
def test_a_reference_is_an_id_or_nothing(value: object, expected: int | None) -> None:
    assert values.ref(value) == expected


def test_days_end_where_the_company_is() -> None:
    assert values.end_of(date(2026, 3, 29), "Europe/Brussels") == datetime(2026, 3, 29, 21, 59, 59, 999999, UTC), (
        "summer time began that day"
    )
    assert values.end_of(date(2026, 1, 1), "America/Los_Angeles") == datetime(2026, 1, 2, 7, 59, 59, 999999, UTC)


def test_an_unknown_zone_is_utc() -> None:
    assert values.end_of(date(2026, 1, 1), "Mars/Olympus") == datetime(2026, 1, 1, 23, 59, 59, 999999, UTC)


def test_domains_get_whole_utc_seconds() -> None:
    at = datetime(2026, 1, 1, 1, 2, 3, 999999, values.zone("Europe/Brussels"))
    assert values.rpc_time(at) == "2026-01-01 00:02:03"


def test_a_share_has_nine_digits() -> None:
    assert values.share(Decimal(1) / 3) == Decimal("0.333333333")
