"""The action runner as a process: checks what it needs, then acts until it is told to stop.

A broker that goes away in mid-run ends the session, uncommitted; a new one is begun, with longer and longer waits in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from datetime import timedelta

import structlog

from consumers.actions.execution import Execution, Manner
from consumers.actions.gate import Gates
from consumers.actions.journal import Journal
from consumers.actions.overridden import Overridden
from consumers.actions.policy import load_policy
from consumers.actions.session import Session
from consumers.actions.sources import sources
from consumers.actions.targets import Target, targets_of
from consumers.core.policy import Policy
from consumers.core.retry import Patience
from infra.errors import Transient
from infra.kafka.clients import broker_answers, producer
from infra.kafka.writer import EventWriter
from infra.settings import OdooSettings, Settings

log = structlog.get_logger()
LONGEST_PAUSE = 30.0
DELIVERY = 20_000
"""Milliseconds after which a record that the broker did not take is handed over anew: less than a flush waits, so that none is left over."""


def run(settings: Settings, config: dict[str, object], odoo: OdooSettings | None, stop: threading.Event) -> None:
    """Act on alerts until `stop` is set: each action once per target as far as the target can tell, in order per subject.

    `config` is the content of the configuration file, `odoo` the Odoo to write activities to. Raises `Fatal` for a policy, a
    secret or an Odoo that a person must correct, `Transient` when no broker answers at the start. Odoo need not be up.
    """
    policy = load_policy(config)
    targets = targets_of(policy, settings, odoo)
    broker_answers(settings.kafka)
    asyncio.run(_run(settings, policy, targets, stop))


async def _run(settings: Settings, policy: Policy, targets: Mapping[str, Target], stop: threading.Event) -> None:
    stopping = asyncio.Event()
    watch = asyncio.create_task(_watch(stop, stopping))
    gates = Gates(wanted for rule in policy.rules for wanted in rule.targets)
    pause = 1.0
    try:
        await _check(targets)
        while not stopping.is_set():
            try:
                await _session(settings, policy, targets, gates, stopping)
                pause = 1.0
            except Transient as error:
                log.warning("actions_interrupted", reason=str(error), remedy=error.remedy, seconds=pause)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), pause)
                pause = min(pause * 2, LONGEST_PAUSE)
    finally:
        watch.cancel()
        for target in targets.values():
            await target.close()


async def _session(
    settings: Settings, policy: Policy, targets: Mapping[str, Target], gates: Gates, stopping: asyncio.Event
) -> None:
    mine = settings.actions
    writer = EventWriter(producer(settings.kafka, linger_ms=1, delivery_timeout_ms=DELIVERY))
    journal = Journal(writer)
    manner = Manner(Patience(mine.schedule, mine.longest_wait), timedelta(seconds=mine.oldest))
    overridden = await asyncio.to_thread(Overridden, settings.kafka, policy)
    followed = [(source, Execution(targets, gates, manner, journal)) for source in sources(mine)]
    writing = asyncio.create_task(journal.serve())
    ending = asyncio.Event()
    sessions = [
        asyncio.create_task(Session(settings, policy, execution, journal, source).serve(ending))
        for source, execution in followed
    ]
    watching = [
        asyncio.create_task(overridden.serve([execution for _, execution in followed])),
        asyncio.create_task(stopping.wait()),
    ]
    try:
        await asyncio.wait([*sessions, *watching], return_when=asyncio.FIRST_COMPLETED)
        ending.set()  # one of them that failed ends the other, so that both begin anew
        await asyncio.wait(sessions)  # the other one records what it finished before the journal ends
        for task in (*sessions, *watching):
            if task.done():
                task.result()
    finally:
        for task in (*watching, writing):
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _watch(stop: threading.Event, stopping: asyncio.Event) -> None:
    while not stop.is_set():  # noqa: ASYNC110  the event belongs to a thread
        await asyncio.sleep(0.05)
    stopping.set()


async def _check(targets: Mapping[str, Target]) -> None:
    """What a person must correct is told at once; a target that is down is waited for by each action."""
    for kind, target in targets.items():
        try:
            await target.check()
        except Transient as error:
            log.warning("target_not_reached", target=kind, reason=str(error), remedy=error.remedy)
