"""Clients (partners that are companies, or that something was sold to) and opportunities.

Traps
- Odoo raises `customer_rank` without a stamp, so a person who becomes a customer is seen by the sweep.
- A lost opportunity is archived: what is archived is read like everything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from producers.core.mapping.base import Context, Entity, ModelMapping, Period, Verbs, amount, ids, word
from producers.core.policy import CapturePolicy
from producers.core.values import Row, day, label, moment, money, number, ref, share, text, written
from schemas.records import Client, Opportunity, OpportunityKind, OpportunityStatus

WON_STATUS: dict[str, OpportunityStatus] = {"won": "won", "lost": "lost", "pending": "open"}
OPPORTUNITY_VERBS = Verbs({"open": "opened", "won": "won", "lost": "lost"}, first="opened")
KIND: dict[str, OpportunityKind] = {"lead": "lead", "opportunity": "opportunity"}


def client(row: Row, context: Context, _previous: object) -> Client | None:
    """A partner as a client; None for one that is neither a company nor a customer."""
    if not row["is_company"] and not row.get("customer_rank"):
        return None
    commercial = ref(row.get("commercial_partner_id"))
    parent = commercial if commercial not in {None, row["id"]} else ref(row.get("parent_id"))
    return {
        "id": row["id"],
        "name": text(row.get("name")) or "",
        "reference": text(row.get("ref")),
        "is_company": bool(row["is_company"]),
        "parent_id": parent,
        "country": text(row.get("country_code")),
        "active": bool(row["active"]),
        "company_id": ref(row.get("company_id")),
        "tier": label(row.get(context.policy.client_tier_field or "")),
    }


def client_verb(previous: Client | None, current: Client | None) -> str:
    """Onboarded, archived, changed or deleted."""
    if current is None:
        return "deleted"
    if not current["active"] and (previous is None or previous["active"]):
        return "archived"
    return "onboarded" if previous is None else "changed"


def opportunity(row: Row, context: Context, _previous: object) -> Opportunity:
    """A lead or an opportunity."""
    lookups = context.lookups
    company_id, stage_id, reason_id = (ref(row.get(name)) for name in ("company_id", "stage_id", "lost_reason_id"))
    status = WON_STATUS.get(str(row["won_status"]), "unknown")
    recurring = row.get("recurring_revenue_monthly")
    return {
        "id": row["id"],
        "name": text(row.get("name")) or "",
        "kind": KIND.get(str(row.get("type")), "unknown"),
        "status": status,
        "stage_id": stage_id,
        "stage": lookups.stages.get(stage_id) if stage_id is not None else None,
        "client_id": ref(row.get("partner_id")),
        "owner_id": ref(row.get("user_id")),
        "team_id": ref(row.get("team_id")),
        "probability": share(number(row.get("probability")) / 100),
        "expected_revenue": money(row.get("expected_revenue")),
        "recurring_revenue": money(recurring) if recurring else None,
        "currency": lookups.currency(row.get("company_currency")) or lookups.company(company_id).currency,
        "opened_at": moment(row.get("create_date")) or written(row),
        "expected_close": day(row.get("date_deadline")),
        "closed_at": moment(row.get("date_closed")) if status in {"won", "lost"} else None,
        "lost_reason": lookups.lost_reasons.get(reason_id) if reason_id is not None else None,
        "active": bool(row["active"]),
        "company_id": company_id,
    }


def opportunity_occurred(row: Row, previous: Opportunity | None, current: Opportunity, _context: Context) -> datetime:
    """It was won or lost when Odoo says so, unless that is still to come; the rest when written."""
    at, closed = written(row), current["closed_at"]
    return min(at, closed) if closed is not None and OPPORTUNITY_VERBS(previous, current) in {"won", "lost"} else at


def _stage_needed(row: Row) -> Iterable[tuple[str, int | None]]:
    yield "stages", ref(row.get("stage_id"))
    yield "lost_reasons", ref(row.get("lost_reason_id"))


OPPORTUNITY = ModelMapping(
    model="crm.lead",
    module="crm",
    fields=("name", "won_status", "active"),
    optional=(
        "type", "stage_id", "partner_id", "user_id", "team_id", "probability", "expected_revenue", "recurring_revenue_monthly",
        "company_currency", "date_deadline", "date_closed", "lost_reason_id", "company_id",
    ),
    entities=(Entity("sales.opportunity.v1", opportunity, OPPORTUNITY_VERBS, opportunity_occurred),),
    uses=("companies", "stages", "lost_reasons"),
    needs=_stage_needed,
    sums=(
        amount("expected_revenue", "expected_revenue"), ids("partner_id", "client_id"), ids("user_id", "owner_id"), ids("stage_id"),
    ),
    period=Period("create_date", "opened_at"),
)  # fmt: skip


def clients(policy: CapturePolicy) -> ModelMapping:
    """The mapping of clients, with the firm's own field of their tier where it names one."""
    return ModelMapping(
        model="res.partner",
        module="base",
        fields=("name", "is_company", "active"),
        own=word(policy.client_tier_field),
        optional=("ref", "parent_id", "commercial_partner_id", "country_code", "customer_rank", "company_id"),
        entities=(Entity("sales.client.v1", client, client_verb),),
        where=("|", ("is_company", "=", True), ("customer_rank", ">", 0)),
        sums=(ids("company_id"),),
    )
