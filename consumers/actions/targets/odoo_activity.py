"""Activities in Odoo: opened, kept current, and closed with the alert they are about.

An activity has an external id made from alert, rule and target; `load` creates it once and updates it ever after, so asking
twice leaves one. Closing archives it through `action_feedback`, unless a person was faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from consumers.actions.targets.base import Asked, Means
from consumers.actions.targets.failed import TargetFailed
from consumers.actions.targets.odoo import MODULE, Odoo, OdooTarget, external_name, known, load, record
from consumers.core.plan import Planned
from consumers.core.retry import Failure
from consumers.core.targets.odoo_activity import OdooActivity, activity
from infra.odoo.client import OdooClient

RESPONSIBLE = {
    "account.move": ("invoice_user_id",),
    "project.project": ("user_id",),
    "hr.employee": ("parent_id", "user_id"),
    "res.partner": ("user_id",),
}
"""Where a record names the user who looks after it; an employee's is the user of the manager, who is an employee too."""


def make(asked: Sequence[Asked], means: Means) -> OdooTarget:
    """The target. Raises `Fatal` where no Odoo is configured."""
    return OdooTarget(means.odoo, "odoo_activity", [one.rule for one in asked], _act)


def _act(odoo: Odoo, client: OdooClient, planned: Planned) -> str | None:
    model, identity = record(planned)
    name = external_name(planned)
    alert = planned.alert["current"]
    if alert["status"] == "cleared":
        return _close(client, name, f"Cleared as of {alert['as_of'].isoformat()}.")
    wanted = activity(cast("OdooActivity", planned.target), planned.alert)
    row = {
        "id": f"{MODULE}.{name}",
        "res_model_id/.id": str(odoo.model_id(client, model)),
        "res_id": str(identity),
        "activity_type_id/id": wanted.activity_type,
        "summary": wanted.summary,
        "note": wanted.note,
        "date_deadline": wanted.deadline.isoformat(),
    }
    user = _user(client, wanted.user, model, identity)
    if user is not None:
        row["user_id/.id"] = str(user)
    return load(client, "mail.activity", row, f"an activity on {model}({identity})")


def _close(client: OdooClient, name: str, feedback: str) -> str | None:
    identity = known(client, "mail.activity", name)
    if identity is None:
        return None  # it was never opened, or a person deleted it
    if any(row["active"] for row in client.read("mail.activity", [identity], ["active"])):
        client.call("mail.activity", "action_feedback", [identity], feedback=feedback)
    return f"mail.activity:{identity}"


def _user(client: OdooClient, user: str | None, model: str, identity: int) -> int | None:
    """The user to ask: by login, or the record's own; None leaves it to Odoo."""
    if user is None:
        return None
    if user != "responsible":
        found = client.search("res.users", [("login", "=", user), ("active", "=", True)])
        if not found:
            raise TargetFailed(Failure(f"Odoo has no user {user}", final=True))
        return found[0]
    value: int | None = identity
    for field in RESPONSIBLE.get(model, ()):
        rows = client.read(model, [value], [field]) if value else []
        value = rows[0][field] or None if rows else None
    return value if model in RESPONSIBLE else None
