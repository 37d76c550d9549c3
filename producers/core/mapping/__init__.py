"""Every mapping from Odoo: one table per model. `mappings` is the whole of what capture reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from producers.core.mapping import (
    contracts,
    delivery,
    expenses,
    invoices,
    payments,
    people,
    purchases,
    receipts,
    sales,
    skills,
    tasks,
)
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
    return tuple(_without(mapping, policy.without) for mapping in _all(policy))


def _without(mapping: ModelMapping, left_out: Collection[str]) -> ModelMapping:
    optional = tuple(name for name in mapping.optional if f"{mapping.model}.{name}" not in left_out)
    return replace(mapping, optional=optional) if optional != mapping.optional else mapping


def _all(policy: CapturePolicy) -> tuple[ModelMapping, ...]:
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
        expenses.EXPENSE,
        purchases.PURCHASE_ORDER,
        receipts.RECEIPT,
        invoices.account_moves(policy),
        payments.PAYMENT,
    )


def captured_models(policy: CapturePolicy) -> frozenset[str]:
    """The models whose changes concern a mapping: its own, and those that it follows."""
    return frozenset(
        model
        for mapping in mappings(policy)
        for model in (mapping.model, *(follow.model for follow in mapping.follows))
    )
