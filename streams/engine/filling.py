"""Rows into a state, one after the other: what a restore does most."""

from __future__ import annotations

from typing import Any

from infra.errors import Fatal, PoisonMessage
from schemas import codec
from schemas.lines import TimeLine
from streams.engine.topology import SEPARATOR, Processor


def take_in(processor: Processor, state: Any, rows: list[tuple[bytes, bytes | None]]) -> None:
    """Take these rows into a state, in their order, but for those that were deleted. Raises `Fatal` for one that cannot be read: going on without it would lose what it says."""
    restore = processor.restore
    for key, value in rows:
        if value is None:
            continue
        try:
            kind, entry = codec.decode_plain(value)
            if isinstance(entry, TimeLine):  # nearly always; it says itself what its key says
                restore(state, entry.subject, entry.record, kind, entry)
            else:
                subject, _, record = key.decode().partition(SEPARATOR)
                restore(state, subject, record, kind, entry)
        except PoisonMessage as error:
            subject, _, record = key.decode().partition(SEPARATOR)
            failure = Fatal(
                f"a row of {processor.state} ({subject} · {record}) cannot be read: {error}",
                remedy="start the release that wrote it, or rebuild the state from the source topics",
            )
            failure.__cause__ = error  # compiled code does not know `from`
            raise failure from error
