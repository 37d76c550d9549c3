"""Budget burn of clients, managers and companies, from what each active project's own measure tells at every tick.

Rules
- A burn sums those projects that have the budget it is about; the others are counted, and named as a reason.
- Sums of unlike money mean nothing: with projects in several currencies, or one that costs something in another than its own, all money is null.

Invariant: sums are made anew from the latest reports; nothing is added to what was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

from schemas.topics import Process
from schemas.wire import FactEntry
from streams.core.monitors.facts import Reader, Watched
from streams.core.monitors.monitor import Finding, Monitor
from streams.core.project_units import ROLLUP, UNITS
from streams.core.ratios import Quality


class BurnRollup(Monitor):
    """Measures clients, managers and companies by their projects."""

    name = ROLLUP
    topic = "measure.burn-rollup.v1"
    subject_kind = "unit"
    process = Process.PROJECT_TO_REVENUE
    formula = "burn-rollup/2"
    inputs: ClassVar[Mapping[str, Reader]] = {}

    def look(self, subject: Watched, as_of: int, holidays: Sequence[Mapping[str, Any]]) -> Finding | None:  # noqa: ARG002  Monitor
        """The unit's sums and burns."""
        known = [row[3] for _, row in sorted(subject.rows.items())]
        reports, quality = subject.facts(*UNITS), Quality()
        if not known:
            return None
        if not reports:
            quality.note("no_active_project")
        kind, unit = known[0]["kind"], known[0]["numbers"]["unit_id"]
        currencies = {report["words"].get("currency") for report in reports}
        mixed = len(currencies) > 1 or any("actual_cost" not in report["numbers"] for report in reports)
        one = not mixed and len(currencies) == 1 and None not in currencies
        if reports and not one:
            quality.note("mixed_currencies" if mixed else "no_currency")
        companies = {report["numbers"].get("company_id") for report in reports}
        timed = [report for report in reports if "budget_minutes" in report["numbers"]]
        costed = [report for report in reports if "budget_cost" in report["numbers"]]
        sold = [report for report in reports if "recognised" in report["numbers"]]
        if len(timed) < len(reports) and len(costed) < len(reports):
            quality.note("no_budget")
        hours, used = _sum(timed, "budget_minutes"), _sum(timed, "actual_minutes")
        bac, cost = _sum(costed, "budget_cost"), _sum(costed, "actual_cost")
        earning = [report for report in costed if "earned_value" in report["numbers"]]
        earned, spent = _sum(earning, "earned_value"), _sum(earning, "actual_cost")
        recognised = _sum(sold, "recognised")

        def amount(value: int) -> Any:
            return quality.amount(Fraction(value)) if one else None

        def share(numerator: int, denominator: int) -> Any:
            return quality.share(Fraction(numerator, denominator)) if one and denominator else None

        company = companies.pop() if len(companies) == 1 else None
        measure = {
            "kind": kind,
            "unit_id": unit,
            "company_id": company,
            "currency": currencies.pop() if one else None,
            "projects": len(reports),
            "projects_without_budget": sum(
                "budget_minutes" not in report["numbers"] and "budget_cost" not in report["numbers"]
                for report in reports
            ),
            "budget_minutes": hours,
            "actual_minutes": _sum(reports, "actual_minutes"),
            "burn_hours": quality.share(Fraction(used, hours)) if hours else None,
            "committed_minutes": _sum(reports, "committed_minutes"),
            "burn_committed_hours": quality.share(Fraction(_sum(timed, "committed_minutes"), hours)) if hours else None,
            "budget_cost": amount(bac),
            "actual_cost": amount(_sum(reports, "actual_cost")),
            "committed_cost": amount(_sum(reports, "committed_cost")),
            "burn_cost": share(cost, bac),
            "burn_committed": share(_sum(costed, "committed_cost"), bac),
            "earned_value": amount(earned),
            "cpi": share(earned, spent),
            "revenue_budget": amount(_sum(reports, "revenue")),
            "recognised_revenue": amount(recognised),
            "margin": share(recognised - _sum(sold, "actual_cost"), recognised),
        }
        return Finding(measure, company=company, quality=quality)


def _sum(reports: Sequence[FactEntry], name: str) -> int:
    return sum([report["numbers"].get(name, 0) for report in reports])
