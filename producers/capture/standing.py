"""Where the capture of a database stands, as Kafka remembers it: cursors, snapshots that were asked for, and what it is doing.

All of it is compacted and keyed by database, so that several may share a broker. The one who writes it is the capture; whoever looks may read it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.kafka.unread import logged, unread
from infra.settings import KafkaSettings
from schemas import codec
from schemas.records import CaptureCursor, CaptureSignal, CaptureSnapshot, CaptureStatus
from schemas.topics import Topic, topic

CURSORS = topic("internal.capture-cursor.v1")
SIGNALS = topic("internal.capture-signal.v1")
SNAPSHOTS = topic("internal.capture-snapshot.v1")
STATUS = topic("internal.capture-status.v1")
INTERNAL = (CURSORS, SIGNALS, SNAPSHOTS, STATUS)


def internal_key(database: str, name: str | None = None) -> bytes:
    """The key of a database, or of one of its models or snapshots."""
    return (f"odoo:{database}" if name is None else f"odoo:{database}:{name}").encode()


def cursors(settings: KafkaSettings, database: str) -> dict[str, CaptureCursor]:
    """Cursors by model. One that cannot be read is said in the log and left out.

    Its model is then captured from its first record again, which is slow and harmless: what is known already is not published twice.
    """
    found: Iterable[CaptureCursor] = _read(settings, CURSORS, internal_key(database, "")).values()
    return {cursor["model"]: cursor for cursor in found}


def snapshots(settings: KafkaSettings, database: str) -> dict[str, CaptureSnapshot]:
    """Snapshots that were asked for, by id: those that are not over, and the last of the others."""
    found: Iterable[CaptureSnapshot] = _read(settings, SNAPSHOTS, internal_key(database, "")).values()
    return {snapshot["snapshot_id"]: snapshot for snapshot in found}


def awaited(settings: KafkaSettings, database: str, after: int) -> set[str]:
    """The ids of snapshots that were asked for behind this offset: no capture has read the signal yet. What is no signal is the capture's to tell."""
    found: set[str] = set()
    for record in read_to_end(settings, SIGNALS.name):
        if record.key() == internal_key(database) and (record.offset() or 0) > after:
            with contextlib.suppress(PoisonMessage):
                signal: CaptureSignal = codec.decode_as(SIGNALS.record, record.value() or b"")
                if signal["command"] == "start":
                    found.add(signal["signal_id"])
    return found


def status(settings: KafkaSettings, database: str) -> CaptureStatus | None:
    """What the capture last said of itself; None where it never ran."""
    found: CaptureStatus | None = _read(settings, STATUS, internal_key(database), whole=True).get(
        internal_key(database)
    )
    return found


def _read(settings: KafkaSettings, of: Topic, key: bytes, *, whole: bool = False) -> dict[bytes, Any]:
    """What stands under the keys that begin with this one, or under it alone. In place of what nobody can read stands what was there before."""
    found: dict[bytes, Any] = {}
    for record in read_to_end(settings, of.name):
        name, value = record.key() or b"", record.value()
        if not (name == key if whole else name.startswith(key)):
            continue
        if value is None:
            found.pop(name, None)
            continue
        try:
            found[name] = codec.decode_as(of.record, value)
        except PoisonMessage as error:
            logged(unread(record, error))
    return found
