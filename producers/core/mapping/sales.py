"""Clients: partners that are companies, or that something was sold to.

Trap: Odoo raises `customer_rank` without a stamp, so a person who becomes a customer is seen by the sweep.
"""

from __future__ import annotations

from producers.core.mapping.base import Context, Entity, ModelMapping
from producers.core.policy import CapturePolicy
from producers.core.values import Row, label, ref, text
from schemas.records import Client


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


def clients(policy: CapturePolicy) -> ModelMapping:
    """The mapping of clients, with the firm's own field of their tier where it names one."""
    return ModelMapping(
        model="res.partner",
        fields=("name", "is_company", "active", *([policy.client_tier_field] if policy.client_tier_field else [])),
        optional=("ref", "parent_id", "commercial_partner_id", "country_code", "customer_rank", "company_id"),
        entities=(Entity("sales.client.v1", client, client_verb),),
        where=("|", ("is_company", "=", True), ("customer_rank", ">", 0)),
    )
