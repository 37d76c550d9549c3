"""Measures as people ask for them: hours for minutes, names for ids, fractions as numbers. Pure; keys in the order of the result.

Measures carry ids only, so names are joined in here, at reading time: whoever is erased from the topics with names is erased from every
view at once. A name that is not there is null.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.records import BudgetBurn, DisputeAging, Proposal, Utilization

Names = Mapping[int, str]


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _hours(minutes: Decimal | int | None) -> float | None:
    return None if minutes is None else float(minutes) / 60


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def utilization_view(subject: str, measure: Utilization, names: Names) -> dict[str, Any]:
    """A consultant's utilization."""
    return {
        "subject": subject,
        "name": names.get(measure["consultant_id"]),
        "as_of": _day(measure["as_of"]),
        "window_days": measure["window_days"],
        "available_hours": _hours(measure["available_minutes"]),
        "worked_hours": _hours(measure["worked_minutes"]),
        "billable_hours": _hours(measure["billable_minutes"]),
        "billable_utilization": _number(measure["billable_utilization"]),
        "total_utilization": _number(measure["total_utilization"]),
        "band": None if measure["band"] == "unknown" else measure["band"],
        "revision": measure["revision"],
        "reasons": list(measure["reasons"]),
    }


def budget_burn_view(subject: str, measure: BudgetBurn, names: Names) -> dict[str, Any]:
    """A project's budget burn. `burn_hours` is a fraction of the budget."""
    return {
        "subject": subject,
        "name": names.get(measure["project_id"]),
        "as_of": _day(measure["as_of"]),
        "budget_hours": _hours(measure["budget_minutes"]),
        "actual_hours": _hours(measure["actual_minutes"]),
        "burn_hours": _number(measure["burn_hours"]),
        "actual_cost": _number(measure["actual_cost"]),
        "committed_cost": _number(measure["committed_cost"]),
        "currency": measure["currency"],
        "rate_hours_per_week": _hours(measure["rate_minutes_per_week"]),
        "exhaustion_date": _day(measure["exhausted_on"]),
        "progress": _number(measure["progress"]),
        "eac": _number(measure["eac"]),
        "levels": list(measure["levels"]),
        "revision": measure["revision"],
        "reasons": list(measure["reasons"]),
    }


def dispute_view(subject: str, measure: DisputeAging, numbers: Names, clients: Names) -> dict[str, Any]:
    """A dispute. `numbers` are those of invoices."""
    client = measure["client_id"]
    return {
        "subject": subject,
        "name": numbers.get(measure["invoice_id"]),
        "client": None if client is None else clients.get(client),
        "as_of": _day(measure["as_of"]),
        "status": measure["status"],
        "opened_on": _day(measure["opened_on"]),
        "days_open": measure["days_open"],
        "days_past_due": measure["days_past_due"],
        "bucket_open": measure["bucket_open"],
        "bucket_past_due": measure["bucket_past_due"],
        "amount": _number(measure["amount"]),
        "currency": measure["currency"],
        "episode": measure["episode"],
        "revision": measure["revision"],
        "reasons": list(measure["reasons"]),
    }


def doubt_view(measure: str, subject: str, current: Mapping[str, Any]) -> dict[str, Any] | None:
    """Why a measure is null or doubtful; of a company's records, which flaws how many of them have. None where all is well."""
    flaws = zip(current.get("flaws", ()), current.get("flaw_counts", ()), strict=True)
    reasons = [*current["reasons"], *(f"{flaw}: {number}" for flaw, number in flaws)]
    if not reasons:
        return None
    return {
        "measure": measure,
        "subject": subject,
        "as_of": _day(current["as_of"]),
        "reasons": reasons,
        "examples": list(current.get("examples", ())),
    }


def proposal_views(proposals: Iterable[Proposal]) -> list[dict[str, Any]]:
    """What is proposed, the highest score first; what is thought of one alert stands together, its priority before its summary."""
    proposed = list(proposals)
    urgency: dict[str, Decimal] = {}
    for one in proposed:
        urgency[_thing(one)] = max(urgency.get(_thing(one), Decimal(0)), one["score"] or Decimal(0))
    proposed.sort(key=lambda one: (-urgency[_thing(one)], _thing(one), one["kind"]))
    return [
        {
            "proposal_id": one["proposal_id"],
            "kind": one["kind"],
            "about": one["subject_key"],
            "alert_id": one["alert_id"],
            "score": _number(one["score"]),
            "text": one["text"],
            "evidence": dict(one["evidence"]),
            "made_by": one["made_by"],
        }
        for one in proposed
    ]


def _thing(proposal: Proposal) -> str:
    """What a proposal is thought about: its alert, or itself."""
    return proposal["alert_id"] or proposal["proposal_id"]
