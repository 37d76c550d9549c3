"""Fields of Odoo's records, set to what the policy says: an absolute write, so asking twice changes nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from consumers.actions.targets.base import Asked, Means
from consumers.actions.targets.odoo import Odoo, OdooTarget, load, record
from consumers.core.plan import Planned
from consumers.core.targets.odoo_update import OdooUpdate, values
from infra.odoo.client import OdooClient


def make(asked: Sequence[Asked], means: Means) -> OdooTarget:
    """The target. Raises `Fatal` where no Odoo is configured."""
    return OdooTarget(means.odoo, "odoo_update", [one.rule for one in asked], _act)


def _act(odoo: Odoo, client: OdooClient, planned: Planned) -> str | None:
    model, identity = record(planned)
    odoo.model_id(client, model)
    wanted = values(cast("OdooUpdate", planned.target), planned.alert)
    if not wanted:
        return None
    return load(client, model, {".id": str(identity), **wanted}, f"an update of {model}({identity})")
