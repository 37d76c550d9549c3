"""The way to one endpoint: who may call, who waits, and who is told that it is over."""

import asyncio

import pytest

from consumers.actions.gate import AT_ONCE, Gate, Gates
from consumers.core.circuit import LIMIT
from consumers.core.retry import Failure
from consumers.core.targets import Log, OdooActivity, OdooTask, Slack, Webhook

DOWN = Failure("no answer")


def soon(seconds=0.2):
    return asyncio.get_running_loop().time() + seconds


async def call(gate, failure=None, seconds=60.0):
    """A call through the gate; whether it was let through."""
    if not await gate.enter(soon(seconds)):
        return False
    gate.tell(failure)
    gate.leave()
    return True


async def opened():
    gate = Gate("somewhere", None)
    for _ in range(LIMIT):
        await call(gate, DOWN)
    return gate


def test_who_hangs_takes_no_more_than_its_room():
    async def go():
        gate = Gate("somewhere", None)
        assert all([await gate.enter(soon()) for _ in range(AT_ONCE)])
        assert not await gate.enter(soon())
        gate.leave()
        assert await gate.enter(soon())

    asyncio.run(go())


def test_one_probes_while_the_others_wait_and_all_go_on_once_it_answers():
    async def go():
        gate = await opened()
        waiting = [asyncio.create_task(gate.enter(soon(60))) for _ in range(10)]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        gate.tell(None)
        gate.leave()
        assert all(await asyncio.gather(*waiting))

    asyncio.run(go())


def test_a_probe_that_came_to_no_call_leaves_room_for_another():
    async def go():
        gate = await opened()
        assert await gate.enter(soon(60))
        gate.leave()
        assert await gate.enter(soon(60))

    asyncio.run(go())


def test_who_waits_too_long_is_told():
    async def go():
        gate = await opened()
        assert not await gate.enter(soon())

    asyncio.run(go())


def test_who_is_cancelled_takes_no_room():
    async def go():
        gate = await opened()
        waiting = [asyncio.create_task(gate.enter(soon(60))) for _ in range(AT_ONCE + 3)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert await call(gate)
        assert all([await gate.enter(soon()) for _ in range(AT_ONCE)])

    asyncio.run(go())


def test_a_target_that_is_gone_says_so_without_a_wait():
    async def go():
        gate = await opened()
        await call(gate, Failure("HTTP 410", gone=True))
        assert await gate.enter(soon())
        assert gate.disabled == "HTTP 410"

    asyncio.run(go())


def test_a_rate_is_kept():
    async def go():
        gate, began = Gate("somewhere", 20.0), asyncio.get_running_loop().time()
        for _ in range(30):
            await call(gate)
        assert asyncio.get_running_loop().time() - began >= 0.5

    asyncio.run(go())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(OdooActivity(), OdooTask(), id="all that is done in one Odoo"),
        pytest.param(Webhook(url="https://a/b", secret="s"), Webhook(url="https://a/b", secret="t"), id="one address"),
        pytest.param(Slack(channel="a", name="x"), Slack(channel="a", name="y"), id="one channel"),
    ],
)
def test_what_fails_as_one_has_one_gate(one, other):
    async def go():
        gates = Gates([one, other, Log()])
        assert gates.before(one) is gates.before(other)
        assert gates.before(one) is not gates.before(Log())

    asyncio.run(go())


def test_the_lowest_rate_of_an_endpoint_holds():
    async def go():
        slow = Webhook(url="https://a/b", secret="s", per_second=2.0)
        gates = Gates(
            [Webhook(url="https://a/b", secret="s"), slow, Webhook(url="https://a/b", secret="s", per_second=9)]
        )
        assert gates.before(slow)._per_second == 2.0

    asyncio.run(go())
