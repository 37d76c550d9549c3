"""How large a record may be. The limit is one setting: producers refuse by it, topics are declared with it, clients fetch by it.

Kafka counts a batch as it is on the disk, compressed; here a record is counted as it is, so what passes here passes there.
"""

from __future__ import annotations

from schemas.errors import PoisonMessage
from schemas.events import Headers

ROOM = 512
"""Bytes for the frame around a record and its batch."""


def record_size(key: bytes | None, value: bytes | None, headers: Headers | None) -> int:
    """Bytes that a record takes of the limit."""
    size = len(key or b"") + len(value or b"") + ROOM
    for name, content in headers or ():
        size += (len(name) if name.isascii() else len(name.encode())) + len(content or b"") + 10
    return size


def refuse_large(topic: str, key: bytes | None, value: bytes | None, headers: Headers | None, limit: int) -> None:
    """Raises `PoisonMessage` for a record beyond `limit` bytes."""
    size = record_size(key, value, headers)
    if size > limit:
        raise too_large(topic, size)


def too_large(topic: str, size: int) -> PoisonMessage:
    """The failure of a record of this size."""
    return PoisonMessage(
        f"a record of {size:,} bytes is larger than {topic} takes",
        remedy="shorten what it says at its source; or raise BURNLINE_KAFKA__MAX_MESSAGE_BYTES and run `burnline topics apply`",
        reason="too_large",
    )
