"""Tasks in Odoo: made, kept current, and done with the alert they are about.

A task has an external id made from alert, rule and target, so asking twice leaves one. One that a person closed stays closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from consumers.actions.targets.base import Asked, Means
from consumers.actions.targets.failed import TargetFailed
from consumers.actions.targets.odoo import MODULE, Odoo, OdooTarget, closed, external_name, load
from consumers.actions.targets.odoo_user import user_id
from consumers.core.plan import Planned
from consumers.core.retry import Failure
from consumers.core.targets.odoo_record import record_of
from consumers.core.targets.odoo_task import OdooTask, task
from infra.odoo.client import OdooClient

PROJECT = "project.project"
DONE = "1_done"
CLOSED = (DONE, "1_canceled")


def make(asked: Sequence[Asked], means: Means) -> OdooTarget:
    """The target. Raises `Fatal` where no Odoo is configured."""
    return OdooTarget(means.odoo, "odoo_task", [one.rule for one in asked], _act)


def _act(_odoo: Odoo, client: OdooClient, planned: Planned) -> str | None:
    if planned.alert["current"]["status"] == "cleared":
        return closed(
            client, planned, "project.task", "state", still=lambda state: state not in CLOSED,
            how=lambda identity: client.call("project.task", "write", [identity], vals={"state": DONE}),
        )  # fmt: skip
    target = cast("OdooTask", planned.target)
    wanted = task(target, planned.alert)
    row = {
        "id": f"{MODULE}.{external_name(planned)}",
        "name": wanted.name,
        "description": wanted.description,
        "date_deadline": f"{wanted.deadline.isoformat()} 12:00:00",
        **_project(target, planned),
    }
    user = user_id(client, target.user, "", 0)
    if user is not None:
        row["user_ids/.id"] = str(user)
    return load(client, "project.task", row, "a task")


def _project(target: OdooTask, planned: Planned) -> dict[str, str]:
    if target.project is not None:
        return {"project_id/id": target.project}
    subject = planned.alert["meta"]["subject"]
    about = record_of(subject)
    if about is None or about[0] != PROJECT:
        raise TargetFailed(Failure(f"{subject} is no project: name one in the policy to make the task in", final=True))
    return {"project_id/.id": str(about[1])}
