"""The kinds of targets: what each is told by the policy, and what it says about an alert. Pure.

A new target is a module here (its settings, and the pure rendering of an alert), a word in `Target`, and a module of its name in
`consumers.actions.targets` that carries it out, with a row in the table there.
"""

from typing import Annotated

from pydantic import Discriminator

from consumers.core.targets.log import Log
from consumers.core.targets.mail import Mail
from consumers.core.targets.odoo_activity import OdooActivity
from consumers.core.targets.odoo_note import OdooNote
from consumers.core.targets.odoo_task import OdooTask
from consumers.core.targets.odoo_update import OdooUpdate
from consumers.core.targets.slack import Slack
from consumers.core.targets.teams import Teams
from consumers.core.targets.webhook import Webhook

Target = Annotated[
    OdooActivity | OdooTask | OdooNote | OdooUpdate | Webhook | Mail | Slack | Teams | Log, Discriminator("target")
]
"""One action to take. Which one, its key `target` says."""

__all__ = ["Log", "Mail", "OdooActivity", "OdooNote", "OdooTask", "OdooUpdate", "Slack", "Target", "Teams", "Webhook"]
