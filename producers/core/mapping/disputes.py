"""Disputes, which Odoo does not know: derived from a posted customer invoice by the firm's rule.

Rules
- The firm's own selection decides where it has a value; else a blocked payment is an open dispute.
- What only history tells (the day it was opened, that there was one at all) comes from the state last published.
- A dispute whose cause is gone is resolved; one whose invoice was cancelled or taken back to draft is withdrawn.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import cast

from producers.core.mapping.base import Context
from producers.core.policy import DisputeRule
from producers.core.values import Row, day, end_of, local_day, money, ref, text, written
from schemas.records import Dispute, DisputeStatus

CLOSED = frozenset({"resolved", "withdrawn"})


def dispute(row: Row, context: Context, previous: Dispute | None) -> Dispute | None:
    """What the invoice says of a dispute; None while there never was one."""
    rule = context.policy.dispute
    status = _status(row, rule, previous)
    if status is None:
        return None
    company_id = ref(row.get("company_id"))
    today = local_day(written(row), context.lookups.company(company_id).timezone)
    amount = row.get(rule.amount_field)
    return {
        "invoice_id": row["id"],
        "status": status,
        "reason": text(row.get(rule.reason_field)),
        "amount": money(amount) if amount else None,
        "currency": context.lookups.currency(row.get("currency_id")),
        "opened_on": _opened_on(status, day(row.get(rule.date_field)), previous, today),
        "closed_on": _closed_on(status, previous, today),
        "client_id": ref(row.get("partner_id")),
        "company_id": company_id,
    }


def _status(row: Row, rule: DisputeRule, previous: Dispute | None) -> DisputeStatus | None:
    if row["move_type"] != "out_invoice":
        return None
    if row["state"] != "posted":
        return "withdrawn" if previous is not None else None
    word = rule.word(row.get(rule.state_field))
    if word != "none":
        return cast("DisputeStatus", word)
    if rule.blocked and row.get("payment_state") == "blocked":
        return "open"
    if previous is None:
        return None
    return previous["status"] if previous["status"] in CLOSED else "resolved"


def _opened_on(status: str, given: date | None, previous: Dispute | None, today: date) -> date:
    if given is not None:
        return given
    if previous is None or (previous["status"] in CLOSED and status not in CLOSED):
        return today
    return previous["opened_on"]


def _closed_on(status: str, previous: Dispute | None, today: date) -> date | None:
    if status not in CLOSED:
        return None
    if previous is not None and previous["closed_on"] is not None:
        return previous["closed_on"]
    return today


def dispute_verb(previous: Dispute | None, current: Dispute | None) -> str:
    """Opened, escalated, resolved, withdrawn, reopened, updated or deleted."""
    if current is None:
        return "deleted"
    status, was = current["status"], previous["status"] if previous is not None else None
    if status == was:
        return "updated"
    if was in CLOSED and status not in CLOSED:
        return "reopened"
    if status in {"escalated", "resolved", "withdrawn"}:
        return status
    return "opened" if was is None else "updated"


def dispute_occurred(row: Row, previous: Dispute | None, current: Dispute, context: Context) -> datetime:
    """When it was written; an opening on an earlier day that the firm names, at the end of that day."""
    at = written(row)
    zone = context.lookups.company(current["company_id"]).timezone
    if previous is None and current["status"] not in CLOSED and current["opened_on"] < local_day(at, zone):
        return end_of(current["opened_on"], zone)
    return at
