"""Every mapping from Odoo: one table per model. `mappings` is the whole of what capture reads."""

from __future__ import annotations

from producers.core.mapping import contracts, delivery, finance, people, receipts, sales, skills, tasks
from producers.core.mapping.base import (
    PART,
    Children,
    Context,
    Entity,
    Follow,
    ModelMapping,
    Own,
    Period,
    Sum,
    wanted_fields,
)
from producers.core.policy import CapturePolicy

__all__ = [
    "PART",
    "Children",
    "Context",
    "Entity",
    "Follow",
    "ModelMapping",
    "Own",
    "Period",
    "Sum",
    "captured_models",
    "mappings",
    "wanted_fields",
]


def mappings(policy: CapturePolicy) -> tuple[ModelMapping, ...]:
    """All mappings under a policy, master data first, so that what refers to it comes after it."""
    return (
        people.CONSULTANT,
        skills.EMPLOYEE_SKILL,
        sales.clients(policy),
        sales.OPPORTUNITY,
        delivery.projects(policy),
        delivery.MILESTONE,
        contracts.CONTRACT,
        tasks.tasks(policy),
        people.LEAVE,
        people.PUBLIC_HOLIDAY,
        delivery.timesheets(policy),
        finance.EXPENSE,
        finance.PURCHASE_ORDER,
        receipts.RECEIPT,
        finance.account_moves(policy),
        finance.PAYMENT,
    )


def captured_models(policy: CapturePolicy) -> frozenset[str]:
    """The models whose changes concern a mapping: its own, and those that it follows."""
    return frozenset(
        model
        for mapping in mappings(policy)
        for model in (mapping.model, *(follow.model for follow in mapping.follows))
    )
