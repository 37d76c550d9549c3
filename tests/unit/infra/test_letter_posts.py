"""What a server believes of a post that says it is there for a letter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.dead_letters import parked
from infra.errors import PoisonMessage
from infra.letter_posts import believed, delivery_id, headers_of
from schemas.records import DeadLetterEvent

AT = datetime(2026, 3, 30, 8, 0, 0, 7, tzinfo=UTC)
DOOR, KEY, BODY = "/webhooks/helpdesk", "helpdesk:delivery:é 1", b"{}"


def letter(door: str = DOOR) -> DeadLetterEvent:
    error = PoisonMessage("broken", remedy="mend it")
    return parked(door, -1, -1, key=KEY.encode(), value=BODY, headers=None, error=error, stage="webhooks", at=AT)


FIRST = letter()["meta"]["event_id"]
SAID = headers_of(FIRST, KEY, 1, AT)


def test_what_is_refused_again_is_the_same_letter_after_one_attempt_more() -> None:
    found = believed(SAID, DOOR, delivery_id(FIRST, 1, BODY))
    assert found is not None
    assert found.key == KEY.encode()
    error = PoisonMessage("broken still", remedy="mend it")
    later = {"error": error, "stage": "webhooks", "at": AT + timedelta(hours=1)}
    again = parked(DOOR, -1, -1, key=found.key, value=BODY, headers=found.headers, **later)  # type: ignore[arg-type]
    assert (again["current"]["letter_id"], again["current"]["attempts"]) == (FIRST, 2)
    assert again["current"]["first_failed_at"] == AT
    assert again["meta"]["event_id"] != FIRST


def test_headers_travel_as_plain_text() -> None:
    assert all(value.isascii() and value.isprintable() and " " not in value for value in SAID.values())


@pytest.mark.parametrize(
    ("changed", "door", "signed"),
    [
        pytest.param({"burnline-letter": letter("/webhooks/bank")["meta"]["event_id"]}, DOOR, "", id="of another door"),
        pytest.param({}, "/webhooks/bank", "", id="at another door"),
        pytest.param({"burnline-key": "another"}, DOOR, "", id="under another key"),
        pytest.param({"burnline-failed-since": "1"}, DOOR, "", id="of another moment"),
        pytest.param({"burnline-failed-since": "9" * 30}, DOOR, "", id="of no moment"),
        pytest.param({"burnline-attempts": "many"}, DOOR, "", id="attempts that are none"),
        pytest.param({"burnline-attempts": "99999999999"}, DOOR, "", id="more than a letter can hold"),
        pytest.param({"burnline-attempts": "7"}, DOOR, "", id="another attempt than was signed"),
        pytest.param({}, DOOR, "msg_1", id="signed as something else"),
    ],
)
def test_what_could_be_said_by_anybody_is_not_believed(changed: dict[str, str], door: str, signed: str) -> None:
    assert believed(SAID | changed, door, signed or delivery_id(FIRST, 1, BODY)) is None


def test_most_posts_say_nothing_of_a_letter() -> None:
    assert believed({"content-type": "application/json"}, DOOR, "msg_1") is None


def test_where_nothing_is_signed_the_letter_still_has_to_be_of_that_door() -> None:
    other = headers_of(letter("/odoo")["meta"]["event_id"], KEY, 1, AT)
    assert believed(other, "/odoo", None) is not None
    assert believed(SAID, "/odoo", None) is None
