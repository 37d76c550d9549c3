"""Is the first snapshot complete? Ticks wait for it, so that no alert speaks of a half-read history."""

from __future__ import annotations

from collections.abc import Collection

from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from schemas import codec
from schemas.topics import topic

CURSORS = topic("internal.capture-cursor.v1")


def snapshots_done(settings: KafkaSettings, database: str) -> dict[str, bool]:
    """For each model of an Odoo database that the capture has begun with: is its first snapshot complete?

    A cursor that cannot be read says nothing; the capture begins again and writes one that can.
    """
    done: dict[str, bool] = {}
    for record in read_to_end(settings, CURSORS.name):
        data = record.value()
        if data is not None and (record.key() or b"").startswith(f"odoo:{database}:".encode()):
            try:
                cursor = codec.decode_as(CURSORS.record, data)
            except PoisonMessage:
                continue
            done[cursor["model"]] = cursor["snapshot_done"]
    return done


def history_is_loaded(settings: KafkaSettings, database: str, models: Collection[str]) -> bool:
    """True once every one of these models has been read from its first record to its last."""
    done = snapshots_done(settings, database)
    return bool(models) and all(done.get(model, False) for model in models)
