"""Each delivery is handled once, however it is sent."""

import asyncio

import pytest

from producers.webhooks.deliveries import Deliveries


class Work:
    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.started = 0
        self.gate = asyncio.Event()

    async def __call__(self):
        self.started += 1
        await self.gate.wait()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_sent_again_while_under_way_it_joins():
    async def scenario():
        deliveries, work = Deliveries(10), Work("done")
        first, second = (asyncio.create_task(deliveries.once("a", work)) for _ in range(2))
        await asyncio.sleep(0)
        work.gate.set()
        assert await asyncio.gather(first, second) == ["done", "done"]
        assert await deliveries.once("a", work) == "done"
        assert work.started == 1

    asyncio.run(scenario())


def test_a_failure_is_forgotten_so_that_the_next_try_is_a_fresh_one():
    async def scenario():
        deliveries, work = Deliveries(10), Work(OSError("away"), "done")
        work.gate.set()
        with pytest.raises(OSError, match="away"):
            await deliveries.once("a", work)
        assert await deliveries.once("a", work) == "done"

    asyncio.run(scenario())


def test_a_sender_that_gives_up_finds_it_done_when_it_comes_back():
    async def scenario():
        deliveries, work = Deliveries(10), Work("done")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(deliveries.once("a", work), 0.01)
        work.gate.set()
        assert await deliveries.once("a", work) == "done"
        assert work.started == 1

    asyncio.run(scenario())


def test_the_oldest_answers_are_forgotten_first():
    async def scenario():
        deliveries, work = Deliveries(2), Work(*"abca")
        work.gate.set()
        for key in "abca":
            await deliveries.once(key, work)
        assert work.started == 4

    asyncio.run(scenario())
