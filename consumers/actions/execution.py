"""One action from request to end: attempts, waits, and a record of each step before the next.

Rules
- An action that ended is never started again; one that was interrupted goes on with its next attempt, and gets at least one.
- The end is recorded last, after the dead letter: until then the action would be done again, under the same id.
- Nothing is begun once `may_go_on` says no: the alert stays uncommitted, and whoever gets it next goes on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog
from confluent_kafka import Message

from consumers.actions.journal import Journal
from consumers.actions.targets import Target
from consumers.actions.targets.failed import TargetFailed
from consumers.core.action_events import ACTIONS, Status, action_event
from consumers.core.ledger import Ledger
from consumers.core.letters import abandonment, owned
from consumers.core.plan import Planned
from consumers.core.retry import Abandon, Failure, Patience, after_failure
from infra.dead_letters import DEAD_LETTERS, parked

log = structlog.get_logger()
GoOn = Callable[[], bool]


class Execution:
    """Carries out actions and keeps their record."""

    def __init__(
        self, targets: Mapping[str, Target], patience: Patience, journal: Journal, stopping: asyncio.Event
    ) -> None:
        """`targets` by kind; `stopping` cuts waits short."""
        self.ledger = Ledger()
        self._targets = targets
        self._patience = patience
        self._journal = journal
        self.stopping = stopping

    async def carry_out(self, planned: Planned, origin: Message, may_go_on: GoOn) -> bool:
        """See an action to its end. False where it was interrupted. Raises `Transient` where its record cannot be written."""
        if planned.action_id in self.ledger.ended:
            return True
        if not self.ledger.knows(planned.action_id):
            await self._record(planned, "requested", 0)
        attempt = min(self.ledger.attempts[planned.action_id], self._patience.attempts - 1)
        before: str | None = None
        while may_go_on():
            attempt += 1
            await self._record(planned, "attempted", attempt, detail=before)
            try:
                reference = await self._targets[planned.target.target].act(planned)
            except TargetFailed as error:
                before = error.failure.reason
                if await self._ends(planned, origin, attempt, error.failure):
                    return True
            else:
                await self._record(planned, "succeeded", attempt, reference=reference)
                return True
        return False

    async def _ends(self, planned: Planned, origin: Message, attempt: int, failure: Failure) -> bool:
        """Wait for the next attempt, or give up: then it has ended."""
        verdict = after_failure(attempt, failure, self._patience, random.random())  # noqa: S311  spreads waits, guards nothing
        if isinstance(verdict, Abandon):
            await self._abandon(planned, origin, attempt, verdict.reason)
            return True
        log.info(
            "action_waits", action_id=planned.action_id, attempt=attempt, seconds=verdict.seconds, reason=failure.reason
        )
        try:
            await asyncio.wait_for(self.stopping.wait(), verdict.seconds)
        except TimeoutError:
            return False
        return False

    async def _abandon(self, planned: Planned, origin: Message, attempt: int, reason: str) -> None:
        letter = parked(
            origin.topic() or "",
            origin.partition() or 0,
            origin.offset() or 0,
            key=origin.key(),
            value=origin.value(),
            headers=origin.headers(),
            error=abandonment(planned, reason),
            stage="actions",
            at=datetime.now(UTC),
            tenant=planned.alert["meta"]["tenant"],
        )
        await self._record(planned, "failed", attempt, detail=reason)
        await self._journal.write(DEAD_LETTERS, owned(letter, planned, attempt))
        await self._record(planned, "abandoned", attempt, detail=reason)

    async def _record(
        self, planned: Planned, status: Status, attempt: int, *, detail: str | None = None, reference: str | None = None
    ) -> None:
        event = action_event(planned, status, attempt, datetime.now(UTC), detail=detail, reference=reference)
        await self._journal.write(ACTIONS, event)
        self.ledger.fold(event["current"])
        level = log.warning if status in {"failed", "abandoned"} else log.info
        level(
            f"action_{status}",
            action_id=planned.action_id,
            policy=planned.rule,
            target=planned.target.label,
            attempt=attempt,
            detail=detail,
            reference=reference,
            correlation_id=event["meta"]["correlation_id"],
        )
