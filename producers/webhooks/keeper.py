"""Many posts, one commit: a thread that stores what has come in while it stored what came before.

A sync of the disk costs what a hundred posts do, so what waits is stored together; nobody waits for a batch to fill up.
The event loop is never blocked; each post's answer comes back to it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from typing import NamedTuple

from infra.errors import Transient
from producers.webhooks.entries import Answer, Entry
from producers.webhooks.spool import Spool

MOST = 1000
IDLE = 0.5
"""Seconds after which what Kafka has is removed though nothing comes in."""


class _Waiting(NamedTuple):
    entry: Entry
    answered: asyncio.Future[Answer]


class Keeper:
    """Stores entries for one event loop. `close` it in the end; until then it alone writes to the spool."""

    def __init__(self, spool: Spool) -> None:
        """Begin at once."""
        self.kept = threading.Event()
        """Set whenever there is something new to send."""
        self._spool = spool
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._sent = self._removed = 0
        self._thread = threading.Thread(target=self._run, name="webhooks-keeper")
        self._thread.start()

    async def keep(self, entry: Entry, patience: float) -> Answer:
        """What the sender is to be told, once the entry is on the disk.

        Raises `Transient` where the disk refuses it, and `TimeoutError` after `patience` seconds; then it may be kept all the same.
        """
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()
        self._queue.put(_Waiting(entry, answered))
        expiry = loop.call_later(patience, _expire, answered)
        try:
            return await answered
        finally:
            expiry.cancel()

    def sent(self, seq: int) -> None:
        """Kafka has all records up to this number: they are removed with the next commit."""
        self._sent = seq

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._next()
            if batch or self._sent > self._removed:
                self._store(batch)

    def _next(self) -> tuple[list[_Waiting], bool]:
        """What has come in, waiting for the first of it, and whether there may be more."""
        batch: list[_Waiting] = []
        try:
            one = self._queue.get(timeout=IDLE)
            while one is not None:
                batch.append(one)
                if len(batch) == MOST:
                    return batch, True
                one = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _store(self, batch: Sequence[_Waiting]) -> None:
        sent = self._sent
        try:
            told: Sequence[Answer | Transient] = self._spool.store([waiting.entry for waiting in batch], sent=sent)
            self._removed = sent
        except Transient as error:  # what Kafka has is removed with the next batch, or sent again
            told = [error] * len(batch)
        self.kept.set()
        if batch:
            batch[0].answered.get_loop().call_soon_threadsafe(_settle, batch, told)

    @property
    def alive(self) -> bool:
        """False once its thread ended, in order or not."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Store what waits. Blocks; nothing may be handed in any more."""
        self._queue.put(None)
        self._thread.join()


def _expire(answered: asyncio.Future[Answer]) -> None:
    if not answered.done():
        answered.set_exception(TimeoutError())


def _settle(batch: Sequence[_Waiting], told: Sequence[Answer | Transient]) -> None:
    for (_, answered), answer in zip(batch, told, strict=True):
        if answered.done():  # its sender gave up waiting
            continue
        if isinstance(answer, Transient):
            answered.set_exception(answer)
        else:
            answered.set_result(answer)
