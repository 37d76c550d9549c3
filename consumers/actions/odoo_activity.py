"""Activities in Odoo: opened, kept current, and closed with the alert they are about.

An activity has an external id made from alert, rule and target; `load` creates it once and updates it ever after, so asking
twice leaves one. Closing archives it through `action_feedback`, unless a person was faster.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from consumers.actions.targets import TargetFailed
from consumers.core.plan import Activity, Planned, activity
from consumers.core.retry import Failure
from infra.errors import Transient
from infra.odoo.client import OdooClient, connect
from infra.odoo.failures import Refused
from infra.settings import OdooSettings

MODULE = "burnline"
RESPONSIBLE = {
    "account.move": ("invoice_user_id",),
    "project.project": ("user_id",),
    "hr.employee": ("parent_id", "user_id"),
    "res.partner": ("user_id",),
}
"""Where a record names the user who looks after it; an employee's is the user of the manager, who is an employee too."""


class OdooActivities:
    """One session with Odoo, used by one thread: a slow Odoo holds up its own actions only."""

    def __init__(self, settings: OdooSettings) -> None:
        """Nothing is sent yet; the session is opened when it is first needed, and again after it failed."""
        self._settings = settings
        self._client: OdooClient | None = None
        self._thread = ThreadPoolExecutor(1, "odoo-activities")
        self._models: dict[str, int] = {}

    async def connect(self) -> None:
        """Open the session. Raises `Fatal` for what a person must correct, `Transient` when no Odoo answers."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connected)

    async def act(self, planned: Planned) -> str | None:
        """Open, update or close the activity; returns `mail.activity:<id>`. Raises `TargetFailed`, `Fatal` for a lost login."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._act, planned)

    async def close(self) -> None:
        """Let the call under way end; the session ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _connected(self) -> OdooClient:
        if self._client is None:
            self._client = connect(self._settings)
        return self._client

    def _act(self, planned: Planned) -> str | None:
        wanted = activity(planned)
        if wanted is None:
            subject = planned.alert["meta"]["subject"]
            raise TargetFailed(Failure(f"{subject} is no record of Odoo", final=True))
        name = f"alert_{planned.thread.replace('-', '')}"
        try:
            client = self._connected()
            if planned.alert["current"]["status"] == "cleared":
                return _close(client, name, f"Cleared as of {planned.alert['current']['as_of'].isoformat()}.")
            return self._open(client, name, wanted)
        except Transient as error:
            self._client = None
            raise TargetFailed(Failure(str(error))) from error
        except Refused as error:
            raise TargetFailed(Failure(str(error), final=True)) from error

    def _open(self, client: OdooClient, name: str, wanted: Activity) -> str:
        row = {
            "id": f"{MODULE}.{name}",
            "res_model_id/.id": str(self._model(client, wanted.model)),
            "res_id": str(wanted.record_id),
            "activity_type_id/id": wanted.activity_type,
            "summary": wanted.summary,
            "note": wanted.note,
            "date_deadline": wanted.deadline.isoformat(),
        }
        user = _user(client, wanted)
        if user is not None:
            row["user_id/.id"] = str(user)
        loaded = client.call("mail.activity", "load", fields=list(row), data=[list(row.values())])
        if not loaded["ids"]:
            reasons = "; ".join(str(message["message"]).partition("\n")[0] for message in loaded["messages"])
            place = f"{wanted.model}({wanted.record_id})"
            raise TargetFailed(Failure(f"Odoo refused an activity on {place}: {reasons}", final=True))
        return f"mail.activity:{loaded['ids'][0]}"

    def _model(self, client: OdooClient, model: str) -> int:
        if model not in self._models:
            found = client.search("ir.model", [("model", "=", model)])
            if not found:
                raise TargetFailed(Failure(f"Odoo has no model {model}", final=True))
            self._models[model] = found[0]
        return self._models[model]


def _close(client: OdooClient, name: str, feedback: str) -> str | None:
    domain = [("module", "=", MODULE), ("name", "=", name), ("model", "=", "mail.activity")]
    known = client.search_read("ir.model.data", domain, ["res_id"])
    if not known:
        return None  # it was never opened, or a person deleted it
    identity = int(known[0]["res_id"])
    if any(row["active"] for row in client.read("mail.activity", [identity], ["active"])):
        client.call("mail.activity", "action_feedback", [identity], feedback=feedback)
    return f"mail.activity:{identity}"


def _user(client: OdooClient, wanted: Activity) -> int | None:
    """The user to ask: by login, or the record's own; None leaves it to Odoo."""
    if wanted.user is None:
        return None
    if wanted.user != "responsible":
        found = client.search("res.users", [("login", "=", wanted.user), ("active", "=", True)])
        if not found:
            raise TargetFailed(Failure(f"Odoo has no user {wanted.user}", final=True))
        return found[0]
    value: int | None = wanted.record_id
    for field in RESPONSIBLE.get(wanted.model, ()):
        rows = client.read(wanted.model, [value], [field]) if value else []
        value = rows[0][field] or None if rows else None
    return value if wanted.model in RESPONSIBLE else None
