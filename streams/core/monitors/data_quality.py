"""Data quality of a company: records that cannot be what happened, by what is wrong with them.

Rules
- A record is flawed by what it says itself; it counts, as far as it can, in the measures all the same, since leaving it out would hide it.
- A flaw ends when the record is corrected or gone. Each kind of flaw is an alert of its own, while any record has it.
- Time for a day far ahead of when it was written is time nobody worked yet; a day out of all range is a slip of the pen.

What needs two records to be seen is a reason of a measure instead: a project deleted with time left, managers in a circle, an event from
the future.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from schemas.topics import Process
from streams.core import days
from streams.core.alerts import Line, Rule
from streams.core.contracts import rate_of, unscaled
from streams.core.monitors.facts import Fact, Reader, Watched
from streams.core.monitors.flaws import DAY_MINUTES, FIRST_DAY
from streams.core.monitors.monitor import Finding, Judged, Monitor
from streams.core.monitors.policy import QualityPolicy

AHEAD, FARTHEST = 2, 366
"""Days after its writing from which on a line's day is looked at, and beyond which no day is meant."""
EXAMPLES = 10
FLAWS = (
    "absurd_calendar",
    "absurd_time",
    "budget_of_zero",
    "calendar_without_hours",
    "currency_without_rate",
    "date_out_of_range",
    "negative_budget",
    "negative_cost",
    "negative_time",
    "no_currency",
    "time_in_the_future",
    "time_without_employee",
    "time_without_project",
    "unknown_timezone",
)


def _timesheet(line: Any, recorded: int) -> dict[str, bool]:
    ahead = line["date"] - recorded
    return {
        "negative_time": line["minutes"] < 0,
        "absurd_time": line["minutes"] > DAY_MINUTES,
        "time_without_employee": line["employee_id"] is None,
        "time_without_project": line["project_id"] is None,
        "date_out_of_range": line["date"] < FIRST_DAY or ahead > FARTHEST,
        "time_in_the_future": AHEAD <= ahead <= FARTHEST,
    }


def _consultant(person: Any, _recorded: int) -> dict[str, bool]:
    week = person["weekday_minutes"]
    return {
        "calendar_without_hours": person["active"] and not any(week),
        "absurd_calendar": any(not 0 <= minutes <= DAY_MINUTES for minutes in week),
        "unknown_timezone": not days.is_zone(person["timezone"]),
        "no_currency": person["hourly_cost"] is not None and person["currency"] is None,
    }


def _project(project: Any, _recorded: int) -> dict[str, bool]:
    cost = None if project["budget_cost"] is None else unscaled(project["budget_cost"])
    budgets = [budget for budget in (project["budget_minutes"], cost) if budget is not None]
    return {
        "budget_of_zero": 0 in budgets,
        "negative_budget": any(budget < 0 for budget in budgets),
        "unknown_timezone": not days.is_zone(project["timezone"]),
        "no_currency": project["currency"] is None,
    }


def _invoice(invoice: Any, _recorded: int) -> dict[str, bool]:
    posted, day = invoice["status"] == "posted", invoice["invoice_date"]
    return {
        "currency_without_rate": posted and unscaled(invoice["total"]) != 0 == unscaled(invoice["company_total"]),
        "date_out_of_range": posted and day is not None and day < FIRST_DAY,
        "unknown_timezone": not days.is_zone(invoice["timezone"]),
        "no_currency": invoice["currency"] is None or invoice["company_currency"] is None,
    }


def _purchase(order: Any, _recorded: int) -> dict[str, bool]:
    return {
        "currency_without_rate": unscaled(order["amount"]) != 0 == unscaled(order["company_amount"]),
        "no_currency": order["currency"] is None or order["company_currency"] is None,
    }


def _contract(order: Any, _recorded: int) -> dict[str, bool]:
    return {"currency_without_rate": order["status"] == "confirmed" and rate_of(order) is None}


def _expense(expense: Any, _recorded: int) -> dict[str, bool]:
    return {
        "negative_cost": unscaled(expense["amount"]) < 0,
        "date_out_of_range": expense["date"] < FIRST_DAY,
        "no_currency": expense["currency"] is None,
    }


def _reader(flaws: Callable[[Any, int], dict[str, bool]]) -> Reader:
    """What a flawed record says to its company; nothing for one without a flaw."""

    def read(state: Any, system: str, meta: Any) -> dict[str, Fact]:
        recorded = days.local_day(meta["recorded_at"], "UTC")
        found = {flaw: 1 for flaw, there in flaws(state, recorded).items() if there}
        if not found:
            return {}
        company = state["company_id"] or 0
        ahead = {"ahead": state["date"] - recorded} if "time_in_the_future" in found else {}
        fact = Fact(
            "flaw", {**found, **ahead, "company_id": company}, {"tenant": meta["tenant"], "key": meta["subject"]}
        )
        return {f"{system}res.company:{company}": fact}

    return read


class DataQuality(Monitor):
    """Measures companies by their flawed records."""

    name = "data-quality"
    topic = "measure.data-quality.v1"
    subject_kind = "company"
    process = Process.OPERATIONS
    formula = "data-quality/1"
    inputs: ClassVar[Mapping[str, Reader]] = {
        "delivery.timesheet.v1": _reader(_timesheet),
        "people.consultant.v1": _reader(_consultant),
        "delivery.project.v1": _reader(_project),
        "finance.invoice.v1": _reader(_invoice),
        "finance.purchase-order.v1": _reader(_purchase),
        "sales.contract.v1": _reader(_contract),
        "finance.expense.v1": _reader(_expense),
    }

    def __init__(self, policy: QualityPolicy) -> None:
        """Measure by this policy."""
        self._future = policy.future_days
        self._rule = Rule(
            "data_quality.flaw", tuple(Line(flaw, "notice", policy.owner) for flaw in FLAWS), policy.owner
        )

    def rules(self) -> Sequence[Rule]:
        """One line for each kind of flaw."""
        return (self._rule,)

    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:  # noqa: ARG002  Monitor
        """How many records are flawed, and how."""
        if not subject.rows:
            return None
        counts: Counter[str] = Counter()
        examples: list[str] = []
        for fact in subject.facts("flaw"):
            flaws = [flaw for flaw in FLAWS if flaw in fact["numbers"] and self._counts(flaw, fact["numbers"])]
            counts.update(flaws)
            if flaws:
                examples.append(f"{fact['words']['key']}: {', '.join(flaws)}")
        company = next(row[3]["numbers"]["company_id"] for row in subject.rows.values()) or None
        measure = {
            "company_id": company,
            "flawed_records": len(examples),
            "flaws": sorted(counts),
            "flaw_counts": [counts[flaw] for flaw in sorted(counts)],
            "examples": examples[:EXAMPLES],
        }
        values = {**{flaw: str(number) for flaw, number in sorted(counts.items())}, "examples": "; ".join(examples[:3])}
        reached = [line for line in self._rule.lines if counts[line.level]]
        return Finding(measure, values, [Judged(self._rule, reached)], company)

    def _counts(self, flaw: str, numbers: Mapping[str, int]) -> bool:
        return flaw != "time_in_the_future" or numbers["ahead"] >= self._future
