"""The packed rows of lines of time: what was kept comes back, whatever the keys look like."""

import pickle
from struct import Struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PoisonMessage
from schemas.lines import TimeLine, line_of
from streams.core import kinds
from streams.core.consultant_state import ConsultantState
from streams.core.lines import Lines
from streams.core.project_state import ProjectState
from streams.core.state import shared_key

_LAYOUT = Struct("<qq")
_LIKE_EACH_OTHER = st.sampled_from(["1", "01", "+1", " 1", "1_0", "10", "¹", "١", "a", "", "9" * 5000])


@given(st.lists(st.one_of(st.builds("odoo:{}:line:{}".format, st.sampled_from("ab"), _LIKE_EACH_OTHER), st.text())))
def test_no_two_records_share_a_row_and_each_comes_back_as_it_was(records: list[str]) -> None:
    lines = Lines(_LAYOUT.size)
    for number, record in enumerate(records):
        lines.rows[lines.key(record)] = _LAYOUT.pack(number, number) + b"event"
    latest = {record: number for number, record in enumerate(records)}
    assert {record: at for at, _, record in lines.marks()} == latest
    assert all(record in lines for record in records)


def test_a_number_takes_the_place_of_a_key() -> None:
    lines = Lines(_LAYOUT.size)
    assert [lines.key(f"odoo:firm:account.analytic.line:{number}") for number in (7, 123_456)] == [7, 123_456]
    assert lines.key("odoo:other:account.analytic.line:7") == "odoo:other:account.analytic.line:7"
    assert Lines(_LAYOUT.size).key("7") == "7"


def _entry(**fields: object) -> TimeLine:
    return line_of({
        "subject": "odoo:firm:x:1", "record": "odoo:firm:line:1", "version": 3, "present": True, "event_id": "an-id", "recorded_at": 5,
        "day": 20_000, "minutes": 60, "billable": True, "approved": False, "cost": -70_000, "employee_id": 4, "currency": "EUR", **fields,
    })  # fmt: skip


def _sums(subject: ConsultantState | ProjectState) -> object:
    if isinstance(subject, ConsultantState):
        return {day: sums for day, sums in subject.by_day.items() if any(sums)}
    return subject.minutes, subject.cost, subject.approved, subject.weeks


@pytest.mark.parametrize("kind", [ConsultantState, ProjectState])
def test_a_line_is_taken_out_by_what_was_put_in(kind: type[ConsultantState | ProjectState]) -> None:
    subject, never = kind("odoo:firm:x:1"), kind("odoo:firm:x:1")
    for state in (subject, never):
        state.add_time(_entry(record="odoo:firm:line:2", minutes=7, cost=7))
    subject.add_time(_entry())
    assert subject.add_time(_entry(version=3, minutes=9)) is None, "the same version again"
    assert subject.add_time(_entry(version=4, present=False)) is not None
    never.add_time(_entry(version=4, present=False))
    assert (_sums(subject), subject.revision) == (_sums(never), never.revision)
    assert subject.marks() == never.marks()


@pytest.mark.parametrize("kind", [ConsultantState, ProjectState])
def test_a_line_and_another_record_may_not_have_one_key(kind: type[ConsultantState | ProjectState]) -> None:
    other = {"subject": "odoo:firm:x:1", "record": "odoo:firm:line:1", "version": 9, "event_id": "e", "recorded_at": 5}
    first, second = kind("odoo:firm:x:1"), kind("odoo:firm:x:1")
    first.add_time(_entry())
    with pytest.raises(PoisonMessage, match=str(shared_key("odoo:firm:line:1"))):
        first.keep(kinds.ABSENCE, other)
    second.keep(kinds.ABSENCE, other)
    with pytest.raises(PoisonMessage, match=str(shared_key("odoo:firm:line:1"))):
        second.add_time(_entry())


@pytest.mark.parametrize("kind", [ConsultantState, ProjectState])
def test_a_copy_of_a_state_goes_on_as_the_state(kind: type[ConsultantState | ProjectState]) -> None:
    subject = kind("odoo:firm:x:1")
    subject.add_time(_entry())
    copy = pickle.loads(pickle.dumps(subject, pickle.HIGHEST_PROTOCOL))  # noqa: S301  our own
    assert copy.add_time(_entry()) is None, "it knows the line"
    for state in (subject, copy):
        state.add_time(_entry(version=4, minutes=5, recorded_at=6))
    assert (_sums(copy), copy.marks(), copy.lines.rows) == (_sums(subject), subject.marks(), subject.lines.rows)


PROJECTS = st.fixed_dictionaries({
    "timezone": st.just("Europe/Brussels"),
    "budget_minutes": st.sampled_from([None, 0, 600]),
    "budget_cost": st.sampled_from([None, 0, 1_000_000]),
    "currency": st.sampled_from(["EUR", "USD"]),
})  # fmt: skip
WORK = st.builds(
    lambda number, version, **fields: _entry(record=f"odoo:firm:line:{number}", version=version, **fields),
    st.integers(1, 6), st.integers(1, 4), minutes=st.sampled_from([0, 30, 60]), cost=st.sampled_from([0, 70_000]),
    employee_id=st.integers(0, 3), present=st.booleans(), currency=st.sampled_from(["", "EUR", "USD"]),
)  # fmt: skip


@given(st.lists(st.one_of(PROJECTS, WORK)), PROJECTS)
def test_who_worked_is_known_whenever_it_comes_to_be_asked_for(said: list[Any], last: Any) -> None:
    """A budget of cost is told by a field, or by who worked: then it is what it had been if that had been so from the beginning."""
    state, fresh = ProjectState("p"), ProjectState("p")
    fresh.set_project(last)
    for one in said:
        if isinstance(one, TimeLine):
            state.add_time(one)
            fresh.add_time(one)
        else:
            state.set_project(one)
    state.set_project(last)
    assert (state.cost_budget(), state.cost, state.foreign) == (fresh.cost_budget(), fresh.cost, fresh.foreign)
    assert sorted(state._rates.items()) == sorted(fresh._rates.items())
