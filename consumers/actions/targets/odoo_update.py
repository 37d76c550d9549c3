"""Fields of Odoo's records, set to what the policy says: an absolute write, so asking twice changes nothing more.

A record that is named must be the only one of that name: Odoo's import would take the first. Of stages of tasks, those of the task's project count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from consumers.actions.targets.base import Asked, Means
from consumers.actions.targets.failed import TargetFailed
from consumers.actions.targets.odoo import Odoo, OdooTarget, load, record
from consumers.core.plan import Planned
from consumers.core.retry import Failure
from consumers.core.targets.odoo_update import OdooUpdate, values
from infra.odoo.client import Domain, OdooClient

TASK_STAGE = ("project.task", "stage_id")


def make(asked: Sequence[Asked], means: Means) -> OdooTarget:
    """The target. Raises `Fatal` where no Odoo is configured."""
    return OdooTarget(means.odoo, "odoo_update", [one.rule for one in asked], _act)


def _act(odoo: Odoo, client: OdooClient, planned: Planned) -> str | None:
    model, identity = record(planned)
    odoo.model_id(client, model)
    wanted = values(cast("OdooUpdate", planned.target), planned.alert)
    if not wanted:
        return None
    row = {".id": str(identity), **_resolved(client, model, identity, wanted)}
    return load(client, model, row, f"an update of {model}({identity})")


def _resolved(client: OdooClient, model: str, identity: int, wanted: Mapping[str, str]) -> dict[str, str]:
    """The same values, with numbers for the names of records. Raises `TargetFailed` for a name that several have, or none, and for no field."""
    fields = client.fields_get(model)
    found: dict[str, str] = {}
    for name, value in wanted.items():
        if (field := name.partition("/")[0]) not in fields:
            reason = f"Odoo shows this user no field {field} of {model}: is it there, and is the user in its group?"
            raise TargetFailed(Failure(reason, final=True))
        if not value or name != field or fields[name]["type"] != "many2one":
            found[name] = value
            continue
        relation = str(fields[name]["relation"])
        among = _among(client, model, name, identity)
        named = client.call(relation, "name_search", name=value, domain=among, operator="=", limit=2)
        if len(named) != 1:
            many = "no record" if not named else "several records"
            reason = f"{many} of {relation} named {value} can be set as {name}: give {name}/id or {name}/.id"
            raise TargetFailed(Failure(reason, final=True))
        found[f"{name}/.id"] = str(named[0][0])
    return found


def _among(client: OdooClient, model: str, name: str, identity: int) -> Domain:
    if (model, name) != TASK_STAGE:
        return []
    projects = [row["project_id"] for row in client.read(model, [identity], ["project_id"])]
    return [("project_ids", "in", projects)]
