"""A line in the log."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from consumers.actions.targets.base import Asked, Means
from consumers.core.plan import Planned

log = structlog.get_logger()


def make(_asked: Sequence[Asked], _means: Means) -> Log:
    """The target."""
    return Log()


class Log:
    """Logs each alert. A line twice harms nobody."""

    idempotent = True

    async def check(self) -> None:
        """Nothing can be wrong."""

    async def act(self, planned: Planned) -> str | None:
        """Log the alert."""
        alert = planned.alert["current"]
        log.warning(
            "alert_met_policy",
            status=alert["status"],
            rule=alert["rule"],
            level=alert["level"],
            severity=alert["severity"],
            subject=planned.alert["meta"]["subject"],
            alert_id=alert["alert_id"],
            owner=alert["owner"],
        )
        return None

    async def close(self) -> None:
        """Nothing is held."""
