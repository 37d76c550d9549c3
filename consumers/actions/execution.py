"""One action from request to end: attempts, waits, and a record of each step before the next.

Rules
- An action that ended is never started again, unless a person asked for it anew; one that was interrupted goes on with its next attempt, when that is due.
- An attempt is recorded before the call, its outcome after it. Where a restart finds no outcome, a target that tells doubles apart is
  asked again; for any other the action ends as `uncertain`, and its owner is asked.
- The end is recorded last, after the dead letter: until then the action would be done again, under the same id.
- What tells the owner of an action that was given up is an action too. Whoever reads the alert again, after a crash in between, carries it out.
- Nothing is sent about an alert that is too old: that is recorded, once; where an attempt was made when it was younger, its owner is told. The
  topic forgets steps only of actions about such alerts, so that what it forgot is never done again.
- What a person decided about is not sent, from the moment on that it is read on the topic.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from confluent_kafka import Message

from consumers.actions.gate import Gate, Gates
from consumers.actions.journal import Journal
from consumers.actions.targets import Target
from consumers.actions.targets.failed import TargetFailed
from consumers.actions.tenure import Tenure
from consumers.core.action_events import ACTIONS, Status, action_event
from consumers.core.freshness import why_not_sent
from consumers.core.ledger import Ledger
from consumers.core.letters import abandonment, doubt, owned
from consumers.core.plan import Planned, instead
from consumers.core.retry import Abandon, Doubt, Failure, Patience, Wait, after_failure
from infra.dead_letters import DEAD_LETTERS, Again, headers_about, parked
from infra.errors import PoisonMessage

log = structlog.get_logger()
TROUBLE = frozenset({"failed", "abandoned", "uncertain"})
INTERRUPTED = "the attempt was interrupted before its outcome was recorded; it may have been delivered"


@dataclass(frozen=True, slots=True)
class Manner:
    """How actions are carried out: how long they are tried, and how old an alert may be."""

    patience: Patience
    oldest: timedelta


class Execution:
    """Carries out actions and keeps their record."""

    def __init__(self, targets: Mapping[str, Target], gates: Gates, manner: Manner, journal: Journal) -> None:
        """`targets` by kind."""
        self.ledger = Ledger()
        self._targets = targets
        self._gates = gates
        self._manner = manner
        self._journal = journal
        self._waiting: dict[str, asyncio.Event] = {}

    def override(self, action_id: str) -> None:
        """A person decided about the action: it is not attempted again, and does not wait for it either."""
        self.ledger.end(action_id)
        if (waiting := self._waiting.get(action_id)) is not None:
            waiting.set()

    def asked_again(self, planned: tuple[Planned, ...], asked: Again) -> tuple[Planned, ...]:
        """Of what is planned about an alert that comes again for one action: that action, or the one it tells the owner of. None without either."""
        found = tuple(
            one for one in planned if asked.action_id in {one.action_id, *(told.action_id for told in instead(one, ""))}
        )
        if found:
            self.ledger.again(asked.action_id, asked.first)
        return found

    async def carry_out(self, planned: Planned, origin: Message, tenure: Tenure) -> None:
        """See an action to its end, and where it is given up, those that tell its owner.

        Raises `Transient` where this process may not go on; cancel it to interrupt.
        """
        await self._carry_out(planned, origin, tenure)
        if (why := self.ledger.given_up.get(planned.action_id)) is not None:
            for one in instead(planned, why):
                await self._carry_out(one, origin, tenure)

    async def _carry_out(self, planned: Planned, origin: Message, tenure: Tenure) -> None:
        if planned.action_id in self.ledger.ended:
            return
        old = why_not_sent(planned.alert, datetime.now(UTC), self._manner.oldest)
        if planned.action_id not in self.ledger.under_way:
            if old is not None:
                await self._record(planned, "suppressed", 0, detail=old)
                return
            await self._record(planned, "requested", 0)
            if planned.action_id in self.ledger.ended:  # overridden while it was recorded
                return
        known = self.ledger.under_way[planned.action_id]
        if known.open and not self._target(planned).idempotent:
            await tenure.sheltered(self._ask_owner(planned, origin, known.attempt, INTERRUPTED))
            return
        if old is not None and known.first == 1:
            await tenure.sheltered(self._give_up(planned, origin, known.attempt, old))
            return
        patience = self._manner.patience
        attempt = known.made
        wait: float | None = _left(known.due)
        until = asyncio.get_running_loop().time() + _left(known.due) + patience.span + patience.longest_wait
        while wait is not None and not await self._ended_within(planned.action_id, wait):
            attempt += 1
            gate = self._gates.before(planned.target)
            if await gate.enter(until):
                wait = await tenure.sheltered(self._attempt(planned, origin, attempt, gate, tenure))
            else:
                reason = f"{gate.endpoint} could not be called in all the time that is tried"
                wait = await tenure.sheltered(self._after(planned, origin, attempt, Failure(reason, final=True)))

    async def _ended_within(self, action_id: str, seconds: float) -> bool:
        """Wait so long, or until a person decides about the action: then True."""
        if seconds and action_id not in self.ledger.ended:
            self._waiting[action_id] = asyncio.Event()
            try:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._waiting[action_id].wait(), seconds)
            finally:
                del self._waiting[action_id]
        return action_id in self.ledger.ended

    async def _attempt(
        self, planned: Planned, origin: Message, attempt: int, gate: Gate, tenure: Tenure
    ) -> float | None:
        """One call, and the record of it. Returns the seconds to wait before the next; None where the action has ended."""
        reference, failure = None, None
        try:
            if gate.disabled is not None:
                failure = Failure(f"{gate.endpoint} is called no more: {gate.disabled}", final=True)
            elif planned.action_id in self.ledger.ended:  # overridden while it waited for the gate
                return None
            else:
                tenure.lease.check()
                await self._record(planned, "attempted", attempt)
                tenure.lease.check()
                if planned.action_id in self.ledger.ended:
                    return None
                try:
                    reference = await self._target(planned).act(planned)
                except TargetFailed as error:
                    failure = error.failure
                except Exception as error:  # a defect of a target is the trouble of one action, never that of all
                    log.exception("target_broke", action_id=planned.action_id, target=planned.target.label)
                    broke = f"{type(error).__name__} in the target {planned.target.label}; the log of the runner has the place"
                    failure = Failure(broke, uncertain=True)
                gate.tell(failure)
        finally:
            gate.leave()
        if failure is not None:
            return await self._after(planned, origin, attempt, failure)
        await self._record(planned, "succeeded", attempt, reference=reference)
        return None

    async def _after(self, planned: Planned, origin: Message, attempt: int, failure: Failure) -> float | None:
        """Record a failure and what follows from it. Returns as `_attempt` does."""
        chance = random.random()  # noqa: S311  spreads waits, guards nothing
        idempotent = self._target(planned).idempotent
        tried = attempt - self._first(planned) + 1
        verdict = after_failure(tried, failure, self._manner.patience, chance, idempotent=idempotent)
        match verdict:
            case Wait(seconds):
                due = datetime.now(UTC) + timedelta(seconds=seconds)
                await self._record(planned, "failed", attempt, detail=failure.reason, due=due)
                return seconds
            case Abandon(reason):
                await self._record(planned, "failed", attempt, detail=reason)
                await self._give_up(planned, origin, attempt, reason)
            case Doubt(reason):
                await self._ask_owner(planned, origin, attempt, reason)
        return None

    async def _give_up(self, planned: Planned, origin: Message, attempt: int, reason: str) -> None:
        await self._park(planned, origin, attempt, abandonment(planned, reason))
        await self._record(planned, "abandoned", attempt, detail=reason)

    async def _ask_owner(self, planned: Planned, origin: Message, attempt: int, reason: str) -> None:
        await self._park(planned, origin, attempt, doubt(planned, reason))
        await self._record(planned, "uncertain", attempt, detail=reason)

    async def _park(self, planned: Planned, origin: Message, attempt: int, error: PoisonMessage) -> None:
        letter = parked(
            origin.topic() or "",
            origin.partition() or 0,
            origin.offset() or 0,
            key=origin.key(),
            value=origin.value(),
            headers=headers_about(origin.headers(), planned.action_id),
            error=error,
            stage="actions",
            at=datetime.now(UTC),
            tenant=planned.alert["meta"]["tenant"],
        )
        await self._journal.write(DEAD_LETTERS, owned(letter, planned, attempt))

    def _first(self, planned: Planned) -> int:
        """The number of the first attempt since the action was asked for."""
        known = self.ledger.under_way.get(planned.action_id)
        return 1 if known is None else known.first

    def _target(self, planned: Planned) -> Target:
        return self._targets[planned.target.target]

    async def _record(
        self,
        planned: Planned,
        status: Status,
        attempt: int,
        *,
        detail: str | None = None,
        reference: str | None = None,
        due: datetime | None = None,
    ) -> None:
        event = action_event(
            planned, status, attempt, datetime.now(UTC), detail=detail, reference=reference, due=due, first=self._first(planned)
        )  # fmt: skip
        await self._journal.write(ACTIONS, event)
        self.ledger.fold(event["current"])
        (log.warning if status in TROUBLE else log.info)(
            f"action_{status}",
            action_id=planned.action_id,
            policy=planned.rule,
            target=planned.target.label,
            attempt=attempt,
            detail=detail,
            reference=reference,
            due=due and due.isoformat(),
            correlation_id=event["meta"]["correlation_id"],
        )


def _left(due: datetime | None) -> float:
    """Seconds until an attempt is due."""
    return 0.0 if due is None else max((due - datetime.now(UTC)).total_seconds(), 0.0)
