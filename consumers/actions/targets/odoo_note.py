"""Notes in the chatter of Odoo's records, each with an external id made from its action, so asking twice leaves one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from consumers.actions.targets.base import Asked, Means
from consumers.actions.targets.failed import TargetFailed
from consumers.actions.targets.odoo import MODULE, Odoo, OdooTarget, load, record
from consumers.core.plan import Planned
from consumers.core.retry import Failure
from consumers.core.targets.odoo_note import OdooNote, body
from infra.odoo.client import OdooClient


def make(asked: Sequence[Asked], means: Means) -> OdooTarget:
    """The target. Raises `Fatal` where no Odoo is configured."""
    return OdooTarget(means.odoo, "odoo_note", [one.rule for one in asked], _act)


def _act(odoo: Odoo, client: OdooClient, planned: Planned) -> str:
    model, identity = record(planned)
    odoo.model_id(client, model)
    if not client.search(
        model, [("id", "=", identity)]
    ):  # a message may be about a record that is gone: nobody would see it
        raise TargetFailed(Failure(f"{model}({identity}) was deleted: nobody would see a note there", final=True))
    row = {
        "id": f"{MODULE}.note_{planned.action_id.replace('-', '')}",
        "model": model,
        "res_id": str(identity),
        "body": body(cast("OdooNote", planned.target), planned.alert),
        "message_type": "comment",
        "subtype_id/id": "mail.mt_note",
    }
    return load(client, "mail.message", row, f"a note on {model}({identity})")
