"""A storm is told by the tenfold, an episode ends when nothing is open, and folding again tells the same."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from consumers.core.letter_alerts import ALERTS, LetterAlerts
from consumers.core.letter_queue import Decision, Letter
from consumers.core.reentry import decision_event
from infra.dead_letters import parked
from infra.errors import PoisonMessage
from schemas import codec

AT = datetime(2026, 3, 30, 8, tzinfo=UTC)


def letter(offset: int, *, reason: Any = "truncated", topic: str = "delivery.timesheet.v1") -> Any:
    error, at = PoisonMessage("broken", reason=reason), AT + timedelta(milliseconds=6 * offset)
    return parked(topic, 0, offset, key=b"k", value=b"v", headers=None, error=error, stage="streams.decode", at=at)


def discarded(event: Any) -> Any:
    one = Letter(event["meta"]["event_id"], event)
    return decision_event(one, "discarded", Decision("discarded", AT + timedelta(hours=1), "ada", "x"))


def told(fold: LetterAlerts, events: Any) -> list[tuple[str, str]]:
    return [(alert["current"]["status"], alert["current"]["level"]) for event in events for alert in fold.fold(event)]


def test_ten_thousand_in_a_minute_are_told_five_times():
    fold = LetterAlerts()
    assert told(fold, map(letter, range(10_000))) == [
        ("raised", level) for level in ("1", "10", "100", "1000", "10000")
    ]


def test_what_is_told_says_how_many_where_and_whose_it_is():
    (alert,) = LetterAlerts().fold(letter(0))
    current = alert["current"]
    assert (current["owner"], current["severity"], current["value"]) == ("delivery-operations", "warning", 1)
    assert current["values"]["stage"] == "streams.decode"
    assert codec.encode(ALERTS.record, alert)


def test_what_fails_for_another_reason_is_told_apart():
    fold = LetterAlerts()
    assert told(fold, [letter(0), letter(1, reason="empty"), letter(2)]) == [("raised", "1"), ("raised", "1")]


def test_when_nothing_is_open_any_more_all_of_it_is_cleared_and_the_next_is_a_new_episode():
    letters = [letter(n) for n in range(10)]
    fold = LetterAlerts()
    assert told(fold, letters) == [("raised", "1"), ("raised", "10")]
    assert told(fold, map(discarded, letters[:9])) == []
    assert told(fold, [discarded(letters[9])]) == [("cleared", "1"), ("cleared", "10")]
    (again,) = fold.fold(letter(99))
    assert (again["current"]["episode"], again["current"]["level"]) == (2, "1")


def test_folding_again_gives_the_same_ids_and_each_once():
    letters = [letter(n) for n in range(10)]
    events = [*letters, *map(discarded, letters), letter(99)]

    def ids() -> list[str]:
        fold = LetterAlerts()
        return [alert["meta"]["event_id"] for event in events for alert in fold.fold(event)]

    assert ids() == ids()
    assert max(Counter(ids()).values()) == 1


def test_a_letter_told_twice_counts_once():
    fold = LetterAlerts()
    assert told(fold, [letter(0)] * 20) == [("raised", "1")]
