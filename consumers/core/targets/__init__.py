"""The kinds of targets: what each is told by the policy, and what it says about an alert. Pure.

A new target is a module here (its settings, and the pure rendering of an alert), a line in `Target`, and a module of its name in
`consumers.actions.targets` that carries it out.
"""

from typing import Annotated

from pydantic import Discriminator

from consumers.core.targets.log import Log
from consumers.core.targets.odoo_activity import OdooActivity
from consumers.core.targets.webhook import Webhook

Target = Annotated[OdooActivity | Webhook | Log, Discriminator("target")]
"""One action to take. Which one, its key `target` says."""

__all__ = ["Log", "OdooActivity", "Target", "Webhook"]
