"""Staffing of a consultant: what the coming weeks hold, against what they have room for, and who may do what was assigned.

Rules
- The horizon begins tomorrow. Capacity is scheduled time − public holidays − approved leave, within employment, as in utilization.
- An open assignment's planned time is spread evenly over its working days (weekends left out), from its first day, at the earliest tomorrow,
  to its last; without a last day over the horizon. What falls into the horizon is assigned. Past planned time is not made up for.
- A skill that a task demands must be held on the day. One held and run out is told apart from one never held; one that ends soon is told ahead.
- The last assignment that ends soon, with none after it, is told ahead; with no open assignment at all the consultant is free: on the bench.

Invariant: everything is made anew from the latest facts of the consultant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar, cast

from schemas.topics import Process
from schemas.wire import FactEntry
from streams.core import days
from streams.core.alerts import Line, Rule
from streams.core.monitors.facts import Fact, Reader, Watched
from streams.core.monitors.monitor import Finding, Judged, Monitor
from streams.core.monitors.policy import StaffingPolicy
from streams.core.ratios import Quality, half_even

_MOST = (1 << 63) - 1
"""What the field holds: plans beyond the age of the universe are as good as that."""
_OPEN = frozenset({"waiting", "in_progress"})


def consultant(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """The consultant's working week and employment."""
    kept = ("company_id", "department_id", "manager_id", "employed_from", "employed_to", "calendar_id")
    numbers = {**{name: state[name] for name in kept}, "consultant_id": state["id"], "active": int(state["active"])}
    lists = {"week": list(state["weekday_minutes"])}
    return {f"{system}hr.employee:{state['id']}": Fact("consultant", numbers, {"timezone": state["timezone"]}, lists)}


def absence(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """A consultant's approved leave."""
    if state["kind"] != "leave" or state["status"] != "approved" or state["employee_id"] is None:
        return {}
    numbers = {name: state[name] for name in ("first_day", "last_day", "minutes")}
    return {f"{system}hr.employee:{state['employee_id']}": Fact("leave", numbers)}


def assignment(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """An open assignment: when, how much, and what it demands."""
    if state["employee_id"] is None or state["status"] not in _OPEN:
        return {}
    numbers = {
        "task_id": state["task_id"],
        "project_id": state["project_id"],
        "minutes": state["planned_minutes"],
        "starts": state["starts_on"],
        "ends": state["ends_on"],
    }
    lists = {"skills": list(state["required_skill_ids"])}
    return {f"{system}hr.employee:{state['employee_id']}": Fact("assignment", numbers, {}, lists)}


def skill(state: Any, system: str, _meta: Any) -> dict[str, Fact]:
    """A skill and the days on which it holds."""
    numbers = {"skill_id": state["skill_id"], "valid_from": state["valid_from"], "valid_to": state["valid_to"]}
    return {f"{system}hr.employee:{state['employee_id']}": Fact("skill", numbers)}


class Staffing(Monitor):
    """Measures consultants."""

    name = "staffing"
    topic = "measure.staffing.v1"
    subject_kind = "consultant"
    process = Process.RESOURCE_TO_TIMESHEET
    formula = "staffing/1"
    inputs: ClassVar[Mapping[str, Reader]] = {
        "people.consultant.v1": consultant,
        "people.absence.v1": absence,
        "delivery.assignment.v1": assignment,
        "people.skill.v1": skill,
    }

    def __init__(self, policy: StaffingPolicy) -> None:
        """Measure by this policy."""
        self._policy, owner = policy, policy.owner
        above = Fraction(policy.capacity_above)
        self._capacity = Rule("staffing.capacity", (Line("above", "warning", owner, above),), owner)
        self._certification = Rule(
            "staffing.certification",
            (Line("expiring", "notice", owner), Line("expired", "critical", owner), Line("missing", "critical", owner)),
            owner,
        )
        within = Fraction(policy.ends_within_days)
        self._ends = Rule("staffing.assignment_ends", (Line("ends", "notice", owner, within),), owner)
        self._bench = Rule("staffing.bench", (Line("free", "warning", owner),), owner)

    def rules(self) -> Sequence[Rule]:
        """Too much, not certified, ending, free."""
        return self._capacity, self._certification, self._ends, self._bench

    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:
        """What is ahead of the consultant."""
        head = next(iter(subject.facts("consultant")), None)
        if head is None:
            return None
        quality, numbers = Quality(), head["numbers"]
        horizon = range(as_of + 1, as_of + 1 + self._policy.horizon_days)
        capacity = sum(_room(head, day, subject.facts("leave"), holidays) for day in horizon)
        current = [one for one in subject.facts("assignment") if one["numbers"].get("ends", as_of) >= as_of]
        assigned = sum((_planned(one, horizon) for one in current), Fraction(0))
        if any("minutes" not in one["numbers"] for one in current):
            quality.note("assignment_without_plan")
        load = None if capacity == 0 else assigned / capacity
        if load is None:
            quality.note("no_capacity")
        skills = self._skills(subject, current, as_of)
        last = _last_end(current)
        works = bool(numbers["active"]) and _employed(head, as_of)
        soon = works and last is not None and last <= as_of + self._policy.ends_within_days
        free = works and not current and any(head["lists"]["week"])
        over = works and load is not None and load > Fraction(self._policy.capacity_above)
        conflicts = [level for level, ids in skills.items() if ids and works]
        measure = {
            **{name: numbers.get(name) for name in ("consultant_id", "company_id", "department_id", "manager_id")},
            "horizon_days": self._policy.horizon_days,
            "capacity_minutes": capacity,
            "assigned_minutes": min(half_even(assigned.numerator, assigned.denominator), _MOST),
            "load": quality.share(load),
            "assignments": len(current),
            "last_assignment_ends_on": None if last is None or not days.is_date(last) else days.to_date(last),
            "missing_skill_ids": skills["missing"],
            "expired_skill_ids": skills["expired"],
            "expiring_skill_ids": skills["expiring"],
            "conflicts": sorted(
                [
                    *conflicts,
                    *(["above_capacity"] if over else []),
                    *(["ends"] if soon else []),
                    *(["free"] if free else []),
                ]
            ),
        }
        values = {name: str(measure[name]) for name in ("capacity_minutes", "assigned_minutes", "assignments")}
        values |= {f"{level}_skill_ids": str(ids) for level, ids in skills.items() if ids}
        if last is not None and measure["last_assignment_ends_on"] is not None:
            values["last_assignment_ends_on"] = str(measure["last_assignment_ends_on"])
        judged = [
            Judged(self._capacity, self._capacity.lines * over, load),
            Judged(
                self._certification,
                [
                    line._replace(about=str(skills[line.level]))
                    for line in self._certification.lines
                    if line.level in conflicts
                ],
            ),
            Judged(
                self._ends,
                [line._replace(about=str(last)) for line in self._ends.lines * soon],
                None if last is None else Fraction(last - as_of),
            ),
            Judged(self._bench, self._bench.lines * free),
        ]
        return Finding(measure, values, judged, numbers.get("company_id"), quality)

    def _skills(self, subject: Watched, current: Sequence[FactEntry], as_of: int) -> dict[str, list[int]]:
        """The demanded skills that are missing, have run out, or end soon."""
        demanded = {number for one in current for number in one["lists"].get("skills", [])}
        out: dict[str, list[int]] = {"missing": [], "expired": [], "expiring": []}
        for number in sorted(demanded):
            held = [one["numbers"] for one in subject.facts("skill") if one["numbers"]["skill_id"] == number]
            valid = [one for one in held if one.get("valid_from", as_of) <= as_of <= one.get("valid_to", as_of)]
            if not valid:
                past = any("valid_to" in one and one["valid_to"] < as_of for one in held)
                out["expired" if past else "missing"].append(number)
            elif all("valid_to" in one for one in valid):
                until = max(one["valid_to"] for one in valid)
                if until <= as_of + self._policy.certificate_ends_within_days:
                    out["expiring"].append(number)
        return out


def _employed(head: FactEntry, day: int) -> bool:
    numbers = head["numbers"]
    return numbers.get("employed_from", day) <= day <= numbers.get("employed_to", day)


def _room(head: FactEntry, day: int, leaves: Sequence[FactEntry], holidays: Sequence[Mapping[str, Any]]) -> int:
    """Available minutes of a day to come, as scheduled today."""
    if not (head["numbers"]["active"] and _employed(head, day)):
        return 0
    minutes = head["lists"]["week"][days.weekday(day)]
    calendar, company = head["numbers"].get("calendar_id"), head["numbers"].get("company_id")
    off = [leave["numbers"].get("minutes") for leave in leaves if _covers(leave["numbers"], day)]
    off += [
        holiday["minutes"]
        for holiday in holidays
        if holiday["approved"]
        and _covers(holiday, day)
        and holiday["calendar_id"] in {None, calendar}
        and holiday["company_id"] in {None, company}
    ]
    for part in off:
        minutes = 0 if part is None else max(0, minutes - part)
    return minutes


def _covers(absence_: Mapping[str, Any], day: int) -> bool:
    return bool(absence_["first_day"] <= day <= absence_["last_day"])


def _planned(one: FactEntry, horizon: range) -> Fraction:
    """The part of an assignment's planned time that falls into the horizon."""
    numbers = one["numbers"]
    minutes = numbers.get("minutes", 0)
    first = max(numbers.get("starts", horizon.start), horizon.start)
    last = numbers.get("ends", horizon.stop - 1)
    whole = days.business_days(first - 1, last)
    if minutes <= 0 or whole == 0:
        return Fraction(0)
    return Fraction(minutes * days.business_days(first - 1, min(last, horizon.stop - 1)), whole)


def _last_end(current: Sequence[FactEntry]) -> int | None:
    """The day on which the last assignment ends; nothing where one has no end, or there is none."""
    ends = [one["numbers"].get("ends") for one in current]
    return None if not ends or None in ends else max(cast("list[int]", ends))
