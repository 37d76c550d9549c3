"""Records out, acknowledgements back, without ever blocking the event loop.

One idempotent producer serves all requests, so that many concurrent posts share its batches. A thread serves its callbacks;
each comes back to the loop that waits for it. What is queued stays queued while a broker is away, up to `KEPT_FOR`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message

from infra.errors import Transient
from infra.kafka.clients import producer
from infra.kafka.limits import refuse_large
from infra.settings import KafkaSettings
from schemas import codec
from schemas.events import cloudevents_headers
from schemas.successions import older_editions
from schemas.topics import Topic

KEPT_FOR = 30.0
"""Seconds a record waits for a broker. A sender that was told 503 and comes back sooner finds it done."""

LINGER_MS = 2


class Outgoing(NamedTuple):
    """An event and the topic it goes to."""

    topic: Topic
    event: Mapping[str, Any]


class Outbox:
    """Publishes events from one event loop. `close` it in the end."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Connect lazily; nothing is asked of the broker yet."""
        self._limit = settings.max_message_bytes
        self._producer = producer(settings, linger_ms=LINGER_MS, message_timeout_ms=int(KEPT_FOR * 1000))
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve_callbacks, name="webhooks-acks", daemon=True)
        self._thread.start()

    def _serve_callbacks(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(0.1)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return once every record, with its older editions, is acknowledged by all in-sync replicas.

        Raises `PoisonMessage` where one breaks its schema or is too large (then none is sent), `Transient` where one was not
        accepted.
        """
        encoded = [
            (
                topic.name,
                codec.encode(topic.record, event),
                event["meta"]["subject"].encode(),
                cloudevents_headers(topic, event["meta"]),
            )
            for record in records
            for topic, event in (record, *older_editions(*record))
        ]
        for topic_name, value, key, headers in encoded:
            refuse_large(topic_name, key, value, headers, self._limit)
        acks = [self._send(*record) for record in encoded]
        for refusal in await asyncio.gather(*acks):
            if refusal is not None:
                raise Transient(f"Kafka did not accept a record: {refusal.str()}", remedy="is the broker up?")

    def _send(self, topic: str, value: bytes, key: bytes, headers: Any) -> asyncio.Future[KafkaError | None]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[KafkaError | None] = loop.create_future()

        def settle(error: KafkaError | None) -> None:
            if not done.done():  # a request that was cancelled no longer waits
                done.set_result(error)

        def delivered(error: KafkaError | None, _record: Message) -> None:
            loop.call_soon_threadsafe(settle, error)

        try:
            self._producer.produce(topic, value, key, on_delivery=delivered, headers=headers)
        except BufferError:
            settle(KafkaError(KafkaError._QUEUE_FULL))  # noqa: SLF001  the client's public name for it
        return done

    def check(self, topics: Sequence[str]) -> None:
        """Raises `Transient` where no broker answers within a second, or one of the topics does not exist or may not be seen. Blocks."""
        try:
            known = self._producer.list_topics(timeout=1).topics
        except KafkaException as error:
            raise Transient(f"no Kafka broker answers: {error.args[0].str()}", remedy="is the broker up?") from error
        missing = [name for name in topics if name not in known]
        if missing:
            raise Transient(
                f"topics are missing, or hidden: {', '.join(missing)}",
                remedy="run `burnline topics apply`; where there are ACLs, `burnline doctor` names a missing right",
            )

    def close(self, timeout: float) -> int:
        """Wait for what is queued, at most `timeout` seconds; returns how many records were given up. Blocks."""
        left = int(self._producer.flush(timeout))
        self._closing.set()
        self._thread.join()
        return left
