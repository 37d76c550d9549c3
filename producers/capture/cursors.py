"""The cursors of a database, as they stand in Kafka: compacted, keyed by database and model, one record each."""

from __future__ import annotations

from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.kafka.unread import logged, unread
from infra.settings import KafkaSettings
from schemas import codec
from schemas.records import CaptureCursor
from schemas.topics import topic

CURSORS = topic("internal.capture-cursor.v1")


def cursor_key(database: str, model: str) -> bytes:
    """The key of a model's cursor; several databases may share a broker."""
    return f"odoo:{database}:{model}".encode()


def load(settings: KafkaSettings, database: str) -> dict[str, CaptureCursor]:
    """Cursors by model. One that cannot be read is said in the log and left out.

    Its model is then captured from its first record again, which is slow and harmless: what is known already is not published twice.
    """
    found: dict[str, CaptureCursor] = {}
    for record in read_to_end(settings, CURSORS.name):
        key, value = record.key(), record.value()
        if value is not None and key is not None and key.startswith(cursor_key(database, "")):
            try:
                cursor: CaptureCursor = codec.decode_as(CURSORS.record, value)
            except PoisonMessage as error:
                logged(unread(record, error))
                continue
            found[cursor["model"]] = cursor
    return found
