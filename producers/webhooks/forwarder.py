"""From the spool to Kafka, in order, for as long as it takes.

Rules
- A record leaves the spool when all in-sync replicas have it. Until then it is sent, however long Kafka is away: the client never gives up.
- What Kafka refuses (a missing topic, a missing right) is logged with its remedy and sent again, later and later, from the first record that
  is not acknowledged for sure. Nothing overtakes it, so that the order per record is kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import structlog
from confluent_kafka import KafkaException, Producer

from infra.errors import BurnlineError, Transient
from infra.kafka.clients import producer
from infra.kafka.failures import failure
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from producers.webhooks.entries import Record
from producers.webhooks.keeper import Keeper
from producers.webhooks.spool import Spool

log = structlog.get_logger()
MOST, MOST_BYTES = 1000, 8_000_000
LOOK = 0.2
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
GRACE = 2.0
"""Seconds that a stop gives to what is under way; the rest stays in the spool."""


class Forwarder:
    """Sends what the spool holds, from a thread. `close` it in the end, before the keeper."""

    def __init__(self, settings: KafkaSettings, spool: Spool, keeper: Keeper) -> None:
        """Begin at once, with what a former process left."""
        self.waiting_since: float | None = None
        """Since when (by the monotonic clock) the first that waits has been on its way to Kafka; None while nothing waits."""
        self._settings, self._spool, self._keeper = settings, spool, keeper
        self._client = self._connect()
        self._stopping = threading.Event()
        self._until: float | None = None
        self._thread = threading.Thread(target=self._run, name="webhooks-forwarder")
        self._thread.start()

    def _connect(self) -> Producer:
        return producer(self._settings, linger_ms=1, message_timeout_ms=0)

    def _run(self) -> None:
        sent, wait = 0, FIRST_WAIT
        while not self._over():
            self._keeper.kept.clear()
            waiting = self._spool.after(sent, most=MOST, most_bytes=MOST_BYTES)
            self.waiting_since = (self.waiting_since or time.monotonic()) if waiting else None
            if not waiting:
                if self._stopping.is_set():
                    return
                self._keeper.kept.wait(LOOK)
                continue
            try:
                self._send([record for _, record in waiting])
            except BurnlineError as error:
                log.warning("webhooks_not_forwarded", reason=str(error), remedy=error.remedy, again_in=wait)
                self._client.purge()
                self._client = self._connect()
                if self._stopping.wait(wait):
                    return
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                sent, wait, self.waiting_since = waiting[-1][0], FIRST_WAIT, None
                self._keeper.sent(sent)

    def _send(self, records: Sequence[Record]) -> None:
        """Return once Kafka has all of them. Raises what it refuses them with, and `Transient` where we are to stop before that."""
        writer = EventWriter(self._client)
        try:
            for record in records:
                writer.send_bytes(record.topic, record.key, record.value, record.headers)
        except (
            KafkaException
        ) as error:  # a client that cannot go on takes no more; why not stands with an earlier record
            writer.check()
            raise failure("sending on what came in", error) from error
        while self._client.flush(LOOK):
            if self._over():
                raise Transient("Kafka is away, and it is time to stop", remedy="the next start sends what waits")
        writer.check()

    def _over(self) -> bool:
        return self._until is not None and time.monotonic() > self._until

    def check(self, topics: Sequence[str]) -> None:
        """Raises `Transient` where no broker answers within a second, or one of the topics does not exist or may not be seen. Blocks."""
        try:
            known = self._client.list_topics(timeout=1).topics
        except KafkaException as error:
            raise Transient(f"no Kafka broker answers: {error.args[0].str()}", remedy="is the broker up?") from error
        missing = [name for name in topics if name not in known]
        if missing:
            raise Transient(
                f"topics are missing, or hidden: {', '.join(missing)}",
                remedy="run `burnline topics apply`; where there are ACLs, `burnline doctor` names a missing right",
            )

    @property
    def alive(self) -> bool:
        """False once its thread ended, in order or not."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Send what waits, for a few seconds; the rest stays. Blocks."""
        self._until = time.monotonic() + GRACE
        self._stopping.set()
        self._keeper.kept.set()
        self._thread.join()
