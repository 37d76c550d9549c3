"""Activities in Odoo: opened, kept current, and closed with the alert they are about.

An activity has an external id made from alert, rule and target; `load` creates it once and updates it ever after, so asking
twice leaves one. Closing archives it through `action_feedback`, unless a person was faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from consumers.actions.targets.base import Asked, Means
from consumers.actions.targets.odoo import MODULE, Odoo, OdooTarget, closed, external_name, load, record
from consumers.actions.targets.odoo_user import user_id
from consumers.core.plan import Planned
from consumers.core.targets.odoo_activity import OdooActivity, activity
from infra.odoo.client import OdooClient


def make(asked: Sequence[Asked], means: Means) -> OdooTarget:
    """The target. Raises `Fatal` where no Odoo is configured."""
    return OdooTarget(means.odoo, "odoo_activity", [one.rule for one in asked], _act)


def _act(odoo: Odoo, client: OdooClient, planned: Planned) -> str | None:
    model, identity = record(planned)
    alert = planned.alert["current"]
    if alert["status"] == "cleared":
        told = f"Cleared as of {alert['as_of'].isoformat()}."
        return closed(
            client, planned, "mail.activity", "active", still=bool,
            how=lambda identity: client.call("mail.activity", "action_feedback", [identity], feedback=told),
        )  # fmt: skip
    wanted = activity(cast("OdooActivity", planned.target), planned.alert)
    row = {
        "id": f"{MODULE}.{external_name(planned)}",
        "res_model_id/.id": str(odoo.model_id(client, model)),
        "res_id": str(identity),
        "activity_type_id/id": wanted.activity_type,
        "summary": wanted.summary,
        "note": wanted.note,
        "date_deadline": wanted.deadline.isoformat(),
    }
    user = user_id(client, wanted.user, model, identity)
    if user is not None:
        row["user_id/.id"] = str(user)
    return load(client, "mail.activity", row, f"an activity on {model}({identity})")
