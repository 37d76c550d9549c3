"""What a signal does to the snapshots, case by case."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from producers.core.rhythm import GROWTH, Rhythm
from producers.core.snapshots import KEPT, applied, outlived, seconds_left, steer, terms
from schemas.errors import PoisonMessage

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
DECLARED = {"hr.employee": ("name", "active"), "account.analytic.line": ("date", "unit_amount")}
LINE = "account.analytic.line"


def signal(command: str, **more: Any) -> Any:
    empty = {"snapshot_id": None, "models": [], "record_ids": [], "domain": None, "rows_per_second": None}
    return {"signal_id": "s1", "command": command, "asked_at": NOW, **empty, **more}


def snapshot(name: str, state: str, **more: Any) -> Any:
    (made,) = steer({}, signal("start", signal_id=name), 0, declared=DECLARED, now=NOW)
    return {**made, "state": state, **more}


@pytest.mark.parametrize(
    ("state", "command", "after"),
    [
        pytest.param("waiting", "pause", "paused", id="pause what waits"),
        pytest.param("running", "pause", "paused", id="pause what runs"),
        pytest.param("paused", "pause", None, id="what is paused stays so"),
        pytest.param("paused", "resume", "waiting", id="resume what is paused"),
        pytest.param("running", "resume", None, id="what runs is not resumed"),
        pytest.param("running", "stop", "stopped", id="stop what runs"),
        pytest.param("paused", "stop", "stopped", id="stop what is paused"),
        pytest.param("waiting", "stop", "stopped", id="stop what never began"),
        pytest.param("done", "stop", None, id="what is done stays done"),
        pytest.param("stopped", "resume", None, id="what was stopped stays so"),
        pytest.param("refused", "resume", None, id="what was refused stays so"),
    ],
)
def test_each_state_under_each_command(state: str, command: str, after: str | None) -> None:
    found = steer({"a": snapshot("a", state)}, signal(command), 7, declared=DECLARED, now=NOW)
    assert [(one["state"], one["signal_offset"]) for one in found] == ([(after, 7)] if after else [])


def test_a_command_is_for_the_one_that_it_names_or_for_all() -> None:
    two = {name: snapshot(name, "running") for name in ("a", "b")}
    for named, expected in (("b", ["b"]), (None, ["a", "b"]), ("c", [])):
        found = steer(two, signal("pause", snapshot_id=named), 7, declared=DECLARED, now=NOW)
        assert [one["snapshot_id"] for one in found] == expected


def test_a_signal_is_applied_once_in_the_order_of_offsets() -> None:
    (one,) = steer({}, signal("start", signal_id="a"), 5, declared=DECLARED, now=NOW)
    standing = {"a": one}
    assert applied(standing.values()) == 5
    assert steer(standing, signal("stop"), 5, declared=DECLARED, now=NOW) == []
    assert steer(standing, signal("stop"), 4, declared=DECLARED, now=NOW) == []
    assert steer(standing, signal("start", signal_id="a"), 6, declared=DECLARED, now=NOW) == [], "sent twice"


@pytest.mark.parametrize(
    ("wanted", "state", "models", "why"),
    [
        pytest.param({}, "waiting", list(DECLARED), None, id="everything"),
        pytest.param({"models": [LINE]}, "waiting", [LINE], None, id="one model"),
        pytest.param({"models": [LINE, "hr.employee"]}, "waiting", list(DECLARED), None, id="in the order of capture"),
        pytest.param({"models": [LINE], "record_ids": [3, 1]}, "waiting", [LINE], None, id="some records"),
        pytest.param({"models": ["crm.lead"]}, "refused", ["crm.lead"], "crm.lead is not captured", id="unknown model"),
        pytest.param({"record_ids": [1]}, "refused", [], "about one model", id="ids of no model"),
        pytest.param({"domain": '[["name", "=", 1]]', "models": [LINE]}, "refused", [LINE], "name is not declared", id="a field that is not read"),
        pytest.param({"domain": "[[", "models": [LINE]}, "refused", [LINE], "no JSON list", id="no JSON"),
        pytest.param({"rows_per_second": 0}, "refused", [], "below one row", id="no rate"),
    ],
)  # fmt: skip
def test_what_a_start_becomes(wanted: dict[str, Any], state: str, models: list[str], why: str | None) -> None:
    (one,) = steer({}, signal("start", **wanted), 0, declared=DECLARED, now=NOW)
    assert (one["state"], one["models"]) == (state, models)
    assert (why is None) is (one["why"] is None)
    assert why is None or why in one["why"]


def test_a_command_of_a_later_release_is_poison() -> None:
    with pytest.raises(PoisonMessage, match="command unknown"):
        steer({}, signal("unknown"), 0, declared=DECLARED, now=NOW)


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        pytest.param('[["date", ">=", "2026-01-01"], ["id", "in", [1, 2]]]', None, id="declared fields and the id"),
        pytest.param(None, None, id="no condition"),
        pytest.param('[["project_id.name", "=", "x"]]', "not declared", id="a way through references"),
        pytest.param('[["date", "child_of", 1]]', "no operator", id="an operator nobody can judge"),
        pytest.param('["&", ["date", "=", 1]]', "no condition", id="prefix operators"),
        pytest.param('[["date", "="]]', "no condition", id="half a condition"),
        pytest.param('{"date": 1}', "no JSON list", id="an object"),
    ],
)
def test_a_condition_speaks_of_declared_fields(domain: str | None, says: str | None) -> None:
    if says is None:
        assert terms(domain, DECLARED[LINE]) == tuple(tuple(term) for term in json.loads(domain or "[]"))
        return
    with pytest.raises(PoisonMessage, match=says) as refused:
        terms(domain, DECLARED[LINE])
    assert refused.value.remedy


def test_how_long_it_will_go_on() -> None:
    assert seconds_left(snapshot("a", "waiting")) is None
    assert seconds_left(snapshot("a", "running", rows_expected=100, rows=0)) is None
    assert seconds_left(snapshot("a", "running", rows_expected=100, rows=20, working_millis=2000)) == pytest.approx(8.0)
    assert seconds_left(snapshot("a", "running", rows_expected=10, rows=20, working_millis=2000)) == 0.0


def test_passes_come_more_seldom_while_nothing_changes() -> None:
    rhythm = Rhythm(0.5, 2.0)
    assert rhythm.seconds == 0.5
    for _ in range(20):
        rhythm.looked(found=False)
        assert rhythm.seconds == 0.5, "ten seconds without a change are a pause of people at work"
    rhythm.looked(found=False)
    assert rhythm.seconds == pytest.approx(0.5 * GROWTH)
    for _ in range(20):
        rhythm.looked(found=False)
    assert rhythm.seconds == 2.0
    rhythm.looked(found=True)
    rhythm.looked(found=False)
    assert rhythm.seconds == 0.5


def test_a_limit_below_the_least_is_none() -> None:
    rhythm = Rhythm(600.0, 2.0)
    rhythm.looked(found=False)
    assert rhythm.seconds == 600.0


def test_of_those_that_are_over_the_newest_are_remembered_and_what_knows_of_the_last_signal() -> None:
    over = [
        snapshot(f"over {number}", state, ended_at=NOW + timedelta(minutes=number), signal_offset=number)
        for number, state in enumerate(("done", "stopped", "refused") * 10)
    ]
    living = [snapshot(state, state, signal_offset=100 + n) for n, state in enumerate(("waiting", "running", "paused"))]
    gone = outlived([*living, *over])
    assert gone == [f"over {number}" for number in reversed(range(30 - KEPT))]
    over[3]["signal_offset"] = 200
    left = [one for one in [*living, *over] if one["snapshot_id"] not in outlived([*living, *over])]
    assert applied(left) == 200
    assert len(left) == len(living) + KEPT + 1
    assert outlived(left) == []
