"""A record as a person or a script reads it: one flat object, whatever the record is. Undecodable ones are shown as such."""

from collections.abc import Mapping
from typing import Any

from consumers.core.plain import plain
from schemas.codec import decode
from schemas.errors import PoisonMessage
from schemas.privacy import MASK, class_of, masked
from schemas.topics import DataClass

RAW = 10_000
"""Bytes that are shown of a record nobody can read."""


def rendered(
    place: Mapping[str, Any], key: bytes | None, value: bytes | None, *, personal: bool = False
) -> dict[str, Any]:
    """The keys of `place`, then key, type, and `value`, `tombstone` or `error` with `reason`, `remedy` and `raw` (hexadecimal).

    Personal fields are masked unless `personal`, and so is what nobody can read on a topic about people.
    """
    shown = {**place, "key": None if key is None else key.decode("utf-8", "backslashreplace")}
    if value is None:
        return {**shown, "type": None, "tombstone": True}
    try:
        name, content = decode(value)
    except PoisonMessage as error:
        hidden = not personal and class_of(str(place.get("topic"))) is DataClass.PERSONAL
        told = {"error": str(error), "reason": error.reason, "remedy": error.remedy}
        return {**shown, "type": None, **told, "raw": MASK if hidden else value[:RAW].hex()}
    return {**shown, "type": name, "value": plain(content if personal else masked(name, content))}
