"""What a target is: it carries out the actions of one kind.

A target may be asked twice for the same action: after a crash, or where an answer was lost. It is then to have one effect, and where it
cannot promise that (`idempotent` is false) it is asked again only after a failure that certainly had none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from consumers.actions.http import Http
from consumers.actions.targets.odoo import Odoo
from consumers.core.plan import Planned
from consumers.core.targets import Target as Wanted
from infra.settings import ActionSettings, MailSettings


class Target(Protocol):
    """Carries out actions of one kind."""

    idempotent: bool

    async def check(self) -> None:
        """Return where it may do what it will be asked for. Raises `Fatal` for what a person must correct, `Transient` where it is down."""

    async def act(self, planned: Planned) -> str | None:
        """Do it, and return the effect's id at the target. Raises `TargetFailed`."""

    async def close(self) -> None:
        """Give connections back."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule of the policy asks of a target."""

    rule: str
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Means:
    """What targets are made with. `odoo` is None where none is configured."""

    settings: ActionSettings
    mail: MailSettings
    http: Http
    odoo: Odoo | None
