"""Utilization of units: of departments, of managers' people, of companies, from what each consultant's own measure tells at every tick.

Rules
- Ratios are those of the sums, never means of ratios.
- A manager's unit are all below, direct or not; how many report directly is told beside.
- A unit's revision is the sum of its consultants' reports: it grows with every restatement and every day.
- Managers who manage each other in a circle are no hierarchy: the company says so.

Invariant: sums are made anew from the latest reports; nothing is added to what was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from schemas.topics import Process
from schemas.wire import FactEntry
from streams.core.monitors.facts import Reader, Watched
from streams.core.monitors.monitor import Finding, Monitor
from streams.core.ratios import Quality
from streams.core.units import ROLLUP, SUMS, UNITS


class UtilizationRollup(Monitor):
    """Measures units."""

    name = ROLLUP
    topic = "measure.utilization-rollup.v1"
    subject_kind = "unit"
    process = Process.RESOURCE_TO_TIMESHEET
    formula = "utilization-rollup/2"
    inputs: ClassVar[Mapping[str, Reader]] = {}

    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:  # noqa: ARG002  Monitor
        """The unit's sums and ratios."""
        reports = subject.facts(*UNITS)
        if not reports:
            return None
        sums = {name: sum([report["numbers"].get(name, 0) for report in reports]) for name in SUMS}
        members = [report for report in reports if report["numbers"].get("member")]
        quality = Quality()
        if not members:
            quality.note("nobody_left")
        kind = reports[0]["kind"]
        companies = {report["numbers"].get("company_id") for report in reports}
        if kind == "company" and in_circle(reports):
            quality.note("management_cycle")
        company = companies.pop() if len(companies) == 1 else None
        available, long_available, week_available = (sums[f"{span}available"] for span in ("", "long_", "week_"))
        lacking, lacking_long = "no_available_time", "no_available_time_in_long_window"
        return Finding(
            {
                "kind": kind,
                "unit_id": reports[0]["numbers"]["unit_id"],
                "company_id": company,
                "consultants": len(members),
                "direct_consultants": sum(report["numbers"].get("direct", 0) for report in members)
                if kind == "manager"
                else None,
                "available_minutes": available,
                "worked_minutes": sums["worked"],
                "billable_minutes": sums["billable"],
                "approved_minutes": sums["approved"],
                "approved_billable_minutes": sums["approved_billable"],
                "billable_utilization": quality.ratio(sums["billable"], available, lacking),
                "total_utilization": quality.ratio(sums["worked"], available, lacking),
                "approved_billable_utilization": quality.ratio(sums["approved_billable"], available, lacking),
                "approved_total_utilization": quality.ratio(sums["approved"], available, lacking),
                "long_billable_utilization": quality.ratio(sums["long_billable"], long_available, lacking_long),
                "long_total_utilization": quality.ratio(sums["long_worked"], long_available, lacking_long),
                "week_available_minutes": week_available,
                "week_worked_minutes": sums["week_worked"],
                "week_billable_minutes": sums["week_billable"],
                "compliance": quality.ratio(sums["kept"], sums["due"], "no_available_time_in_last_week"),
            },
            company=company,
            quality=quality,
        )


def in_circle(reports: Sequence[FactEntry]) -> bool:
    """Whether somebody among them is, over managers among them, their own manager."""
    manager = {
        report["numbers"]["consultant_id"]: report["numbers"].get("manager_id")
        for report in reports
        if report["numbers"].get("member")
    }
    cleared: set[int] = set()
    for start in manager:
        path: set[int] = set()
        person: int | None = start
        while person is not None and person in manager and person not in cleared:
            if person in path:
                return True
            path.add(person)
            person = manager[person]
        cleared |= path
    return False
