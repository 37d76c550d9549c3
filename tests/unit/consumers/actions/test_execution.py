"""A person's word about an action that is under way: whenever it comes before the call, the call is not made."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from consumers.actions.execution import Execution, Manner
from consumers.actions.gate import Gates
from consumers.actions.targets.failed import TargetFailed
from consumers.actions.tenure import Lease, Tenure
from consumers.core.action_events import action_event
from consumers.core.plan import plan
from consumers.core.policy import Policy
from consumers.core.retry import Failure, Patience
from tests.support.governing import START, raised, rule

POLICY = Policy((rule(),))
[PLANNED] = plan(raised(), POLICY)


class Journal:
    """Keeps what is written; a person speaks while this status is being written."""

    def __init__(self, speaks_at: str) -> None:
        self.statuses: list[str] = []
        self.speaks_at = speaks_at
        self.execution: Execution | None = None

    async def write(self, _topic: object, event: Any) -> None:
        status = event["current"]["status"]
        self.statuses.append(status)
        if status == self.speaks_at and self.execution is not None:
            asyncio.get_running_loop().call_soon(self.execution.override, PLANNED.action_id)
            await asyncio.sleep(0)
        await asyncio.sleep(0)


class Origin:
    """The record of an alert."""

    def topic(self) -> str:
        return "governance.alert.v1"

    def partition(self) -> int:
        return 0

    offset = partition

    def key(self) -> None:
        return None

    value = headers = key


class Down:
    """A target that is called, and never does it."""

    idempotent = True

    def __init__(self) -> None:
        self.calls = 0

    async def act(self, _planned: object) -> str | None:
        self.calls += 1
        raise TargetFailed(Failure("down"))


@pytest.mark.parametrize(
    ("speaks_at", "calls", "statuses"),
    [
        pytest.param("requested", 0, ["requested"], id="while it is being asked for"),
        pytest.param("attempted", 0, ["requested", "attempted"], id="right before the call"),
        pytest.param("failed", 1, ["requested", "attempted", "failed"], id="while it waits for the next attempt"),
    ],
)
def test_what_was_overridden_is_not_called(speaks_at: str, calls: int, statuses: list[str]) -> None:
    async def acted() -> tuple[int, list[str]]:
        journal, target = Journal(speaks_at), Down()
        manner = Manner(Patience((3600.0,), 3600.0), timedelta(days=10**5))
        execution = Execution({"log": target}, Gates([PLANNED.target]), manner, journal)  # type: ignore[arg-type,dict-item]  # doubles
        journal.execution = execution
        async with asyncio.timeout(20):
            await execution.carry_out(PLANNED, None, Tenure(Lease(1000)))  # type: ignore[arg-type]  # nothing is parked
        return target.calls, journal.statuses

    assert asyncio.run(acted()) == (calls, statuses)


def test_an_action_under_way_whose_alert_has_become_too_old_is_not_sent_and_its_owner_is_told() -> None:
    """The topic forgets older steps: what it shows of such an action may not be the last word."""

    async def acted() -> tuple[int, list[str], list[str]]:
        journal, target = Journal("never"), Down()
        manner = Manner(Patience((3600.0,), 3600.0), timedelta(days=7))
        execution = Execution({"log": target}, Gates([PLANNED.target]), manner, journal)  # type: ignore[arg-type,dict-item]  # doubles
        execution.ledger.fold(action_event(PLANNED, "failed", 1, START)["current"])
        await execution.carry_out(PLANNED, Origin(), Tenure(Lease(1000)))  # type: ignore[arg-type]  # a double
        return target.calls, journal.statuses, list(execution.ledger.given_up.values())

    calls, statuses, why = asyncio.run(acted())

    assert (calls, statuses) == (0, ["parked", "abandoned"])
    assert "none older than 7 d 0 h is acted upon" in why[0]


class Broken:
    """A target with a defect."""

    idempotent = True

    async def act(self, _planned: object) -> str | None:
        raise ValueError("of a secret")


def test_a_target_that_breaks_costs_its_own_action_and_no_other() -> None:
    """Were it to end the runner, the next one would do the same attempt again, and no action would ever be done."""

    async def acted() -> tuple[list[str], list[str]]:
        journal = Journal("never")
        manner = Manner(Patience((0.0,), 3600.0), timedelta(days=10**5))
        execution = Execution({"log": Broken()}, Gates([PLANNED.target]), manner, journal)  # type: ignore[arg-type,dict-item]  # doubles
        await execution.carry_out(PLANNED, Origin(), Tenure(Lease(1000)))  # type: ignore[arg-type]  # a double
        return journal.statuses, list(execution.ledger.given_up.values())

    statuses, why = asyncio.run(acted())

    assert statuses == ["requested", "attempted", "failed", "attempted", "failed", "parked", "abandoned"]
    assert "ValueError in the target log" in why[0]
    assert "secret" not in why[0]
