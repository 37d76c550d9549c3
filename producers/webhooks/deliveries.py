"""Each delivery is handled once, however often and however concurrently it is sent.

A delivery sent again joins the one under way, or gets the answer that one got. One that failed is forgotten, so that the
next try is a fresh one. The last `limit` answers are remembered; beyond that, and after a restart, the same event ids tell.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Deliveries(Generic[T]):
    """Memory of deliveries by their key, within one event loop."""

    def __init__(self, limit: int) -> None:
        """Remember at most `limit` answers; the oldest are forgotten first."""
        self._limit = limit
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}
        self._answers: OrderedDict[Hashable, T] = OrderedDict()

    async def once(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work`, which is started unless this key's is known. Cancelling the wait does not cancel the work."""
        if key in self._answers:
            return self._answers[key]
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(work())
            task.add_done_callback(partial(self._ended, key))
        return await asyncio.shield(task)

    def _ended(self, key: Hashable, task: asyncio.Task[T]) -> None:
        del self._under_way[key]
        if not task.cancelled() and task.exception() is None:
            self._answers[key] = task.result()
            if len(self._answers) > self._limit:
                self._answers.popitem(last=False)
