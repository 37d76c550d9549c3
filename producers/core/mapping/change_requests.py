"""Change requests: a task or an order with the tag that the firm names.

Rules
- A request whose tag is taken away is withdrawn; one whose record is deleted is deleted.
- Who decided, and when, is what the change of status tells: later writes do not move it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from producers.core.mapping.base import Context, Verbs
from producers.core.mapping.units import minutes_of
from producers.core.values import Row, day, local_day, minutes, moment, money, ref, text, written
from schemas.records import ChangeRequest, ChangeRequestStatus

TASK_STATUS: Mapping[str, ChangeRequestStatus] = {
    "03_approved": "approved",
    "1_done": "approved",
    "1_canceled": "rejected",
}
ORDER_STATUS: Mapping[str, ChangeRequestStatus] = {"sale": "approved", "cancel": "rejected"}
CHANGE_REQUEST_VERBS = Verbs(
    {"raised": "raised", "approved": "approved", "rejected": "rejected", "withdrawn": "withdrawn"}, first="raised"
)


def task_change_request(row: Row, context: Context, previous: ChangeRequest | None) -> ChangeRequest | None:
    """A tagged task; None for one that never was tagged."""
    found = _status(row, context, context.lookups.task_tags, TASK_STATUS, previous)
    if found is None:
        return None
    company_id = ref(row.get("company_id"))
    deadline = moment(row.get("date_deadline"))
    zone = context.lookups.company(company_id).timezone
    return {
        "reference": str(row["id"]),
        "kind": "task",
        "title": text(row.get("name")) or "",
        "status": found,
        "project_id": ref(row.get("project_id")),
        "contract_id": ref(row.get("sale_order_id")),
        "task_id": row["id"],
        "client_id": ref(row.get("partner_id")),
        "minutes": minutes(row.get("allocated_hours")) or None,
        "amount": None,
        "currency": None,
        "requester_id": ref(row.get("create_uid")),
        "raised_at": moment(row.get("create_date")) or written(row),
        "due_on": local_day(deadline, zone) if deadline is not None else None,
        "decided_at": _decided_at(found, previous, moment(row.get("date_end")), row),
        "decided_by_id": _decided_by(found, previous, row),
        "reason": None,
        "company_id": company_id,
    }


def order_change_request(row: Row, context: Context, previous: ChangeRequest | None) -> ChangeRequest | None:
    """A tagged order; None for one that never was tagged."""
    found = _status(row, context, context.lookups.order_tags, ORDER_STATUS, previous)
    if found is None:
        return None
    confirmed = moment(row.get("date_order")) if row["state"] == "sale" else None
    return {
        "reference": str(row["id"]),
        "kind": "order",
        "title": text(row.get("name")) or "",
        "status": found,
        "project_id": ref(row.get("project_id")),
        "contract_id": row["id"],
        "task_id": None,
        "client_id": ref(row.get("partner_id")),
        "minutes": minutes_of(row["lines"], "product_uom_qty", context) or None,
        "amount": money(row["amount_untaxed"]),
        "currency": context.lookups.currency(row.get("currency_id")),
        "requester_id": ref(row.get("create_uid")),
        "raised_at": moment(row.get("create_date")) or written(row),
        "due_on": day(row.get("validity_date")),
        "decided_at": _decided_at(found, previous, confirmed, row),
        "decided_by_id": _decided_by(found, previous, row),
        "reason": None,
        "company_id": ref(row.get("company_id")),
    }


def _status(
    row: Row,
    context: Context,
    names: Mapping[int, str],
    statuses: Mapping[str, ChangeRequestStatus],
    previous: ChangeRequest | None,
) -> ChangeRequestStatus | None:
    if any(context.policy.is_change_request_tag(names.get(tag, "")) for tag in row.get("tag_ids") or ()):
        return statuses.get(str(row["state"]), "raised")
    return "withdrawn" if previous is not None else None


def _decided_at(
    found: ChangeRequestStatus, previous: ChangeRequest | None, told: datetime | None, row: Row
) -> datetime | None:
    if found == "raised":
        return None
    if previous is not None and previous["status"] == found:
        return previous["decided_at"]
    return written(row) if found == "withdrawn" else told or written(row)


def _decided_by(found: ChangeRequestStatus, previous: ChangeRequest | None, row: Row) -> int | None:
    if found == "raised":
        return None
    if previous is not None and previous["status"] == found:
        return previous["decided_by_id"]
    return ref(row.get("write_uid"))
