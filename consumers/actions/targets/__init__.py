"""What carries actions out, by kind. The settings and texts of each kind are in `consumers.core.targets`, in a module of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from consumers.actions.http import Http
from consumers.actions.targets import (
    log,
    mail,
    odoo_activity,
    odoo_note,
    odoo_task,
    odoo_update,
    slack,
    teams,
    webhook,
)
from consumers.actions.targets.base import Asked, Means, Target
from consumers.actions.targets.odoo import Odoo
from consumers.core.policy import Policy
from infra.settings import OdooSettings, Settings

KINDS: Mapping[str, Callable[[Sequence[Asked], Means], Target]] = {
    "log": log.make,
    "mail": mail.make,
    "odoo_activity": odoo_activity.make,
    "odoo_note": odoo_note.make,
    "odoo_task": odoo_task.make,
    "odoo_update": odoo_update.make,
    "slack": slack.make,
    "teams": teams.make,
    "webhook": webhook.make,
}


def targets_of(policy: Policy, settings: Settings, odoo: OdooSettings | None) -> dict[str, Target]:
    """The targets that the policy asks for, by kind. Raises `Fatal` for what they need and do not have."""
    means = Means(settings.actions, settings.mail, Http(settings.actions), Odoo(odoo) if odoo is not None else None)
    asked: dict[str, list[Asked]] = {}
    for rule in policy.rules:
        for wanted in rule.targets:
            asked.setdefault(wanted.target, []).append(Asked(rule.name, wanted))
    return {kind: KINDS[kind](asks, means) for kind, asks in asked.items()}


__all__ = ["KINDS", "Target", "targets_of"]
