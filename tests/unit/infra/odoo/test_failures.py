"""Statuses and headers of what stands before Odoo."""

from datetime import UTC, datetime

import pytest

from infra.errors import Fatal
from infra.odoo import failures

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "headers", "kind"),
    [
        pytest.param(429, {"retry-after": "7"}, failures.Limited, id="a rate limit"),
        pytest.param(503, {"retry-after": "7"}, failures.Limited, id="maintenance that says how long"),
        pytest.param(503, {}, failures.Sick, id="maintenance that does not"),
        pytest.param(502, {}, failures.Sick, id="a proxy whose server is down"),
        pytest.param(504, {}, failures.Sick, id="a proxy that waited for too long"),
        pytest.param(408, {}, failures.Sick, id="a server that did"),
        pytest.param(302, {}, Fatal, id="a way to another place"),
        pytest.param(404, {}, Fatal, id="no Odoo"),
    ],
)
def test_a_status_is_classified(code: int, headers: dict[str, str], kind: type[Exception]) -> None:
    error = failures.status(code, headers, url="https://odoo.example", now=NOW)
    assert type(error) is kind
    assert str(code) in str(error)
    assert error.remedy


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param("Thu, 05 Mar 2026 12:01:30 GMT", 90.0, id="a date"),
        pytest.param("Thu, 05 Mar 2026 11:00:00 GMT", 0.0, id="a date that is over"),
        pytest.param("86400", failures.LONGEST_LIMITED, id="a day: asked again before"),
        pytest.param("9" * 400, failures.LONGEST_LIMITED, id="for ever"),
        pytest.param("Fri, 06 Mar 2026 12:00:00 GMT", failures.LONGEST_LIMITED, id="tomorrow"),
        pytest.param("soon", failures.LIMITED_WAIT, id="nonsense"),
        pytest.param("", failures.LIMITED_WAIT, id="nothing"),
    ],
)
def test_how_long_a_rate_limit_asks_to_wait(value: str, seconds: float) -> None:
    assert failures.retry_after(value, NOW) == seconds
