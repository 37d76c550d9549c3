"""Who is asked in Odoo, by login or as the one who looks after a record; somebody who left is named, never asked in silence."""

from __future__ import annotations

from consumers.actions.targets.failed import TargetFailed
from consumers.core.retry import Failure
from infra.odoo.client import OdooClient

RESPONSIBLE = {
    "account.move": ("invoice_user_id",),
    "project.project": ("user_id",),
    "hr.employee": ("parent_id", "user_id"),
    "res.partner": ("user_id",),
}
"""Where a record names the user who looks after it; an employee's is the user of the manager, who is an employee too."""


def user_id(client: OdooClient, user: str | None, model: str, identity: int) -> int | None:
    """The user to ask: by login, or with `responsible` the record's own; None leaves it to Odoo. Raises `TargetFailed` for one who left."""
    if user is None:
        return None
    if user != "responsible":
        known = client.search_read("res.users", [("login", "=", user)], ["active"])
        if not known:
            raise TargetFailed(Failure(f"Odoo has no user {user}", final=True))
        if not known[0]["active"]:
            raise TargetFailed(Failure(f"the user {user} has left: name another in the policy", final=True))
        return int(known[0]["id"])
    found: int | None = identity
    for field in RESPONSIBLE.get(model, ()):
        rows = client.read(model, [found], [field]) if found else []
        found = rows[0][field] or None if rows else None
    if found is None or model not in RESPONSIBLE:
        return None
    rows = client.read("res.users", [found], ["login", "active"])
    if not rows:
        reason = (
            f"who is responsible for {model}({identity}) cannot be read: let Burnline's user see res.users({found})"
        )
        raise TargetFailed(Failure(reason, final=True))
    if not rows[0]["active"]:
        reason = f"{rows[0]['login']}, who is responsible for {model}({identity}), has left: name another there"
        raise TargetFailed(Failure(reason, final=True))
    return found
