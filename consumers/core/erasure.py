"""What is about a person, and what names one: pure questions to keys, events and bytes.

A person is known by the key of their own record, such as `odoo:firm:hr.employee:7`. A key is about that person where it is theirs, or
begins with theirs as a row of state does. What names the person is looked for as text, wherever it stands: in any encoding of ours text
is UTF-8, and in the JSON of others it may be escaped.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from schemas.personal import FIELDS
from schemas.privacy import Personal

SHORTEST = 3
"""Characters of the shortest name that is looked for: a shorter one stands in half of all records."""


def is_about(key: bytes | None, subject: str) -> bool:
    """Whether a record's key is the person's, or one of their rows'."""
    if key is None or not key.startswith(subject.encode()):
        return False
    rest = key[len(subject.encode()) :]
    return not rest or not (rest[:1].isalnum() or rest[:1] in b"._-:")


def names_in(record: str, event: Mapping[str, Any]) -> set[str]:
    """What names a person outright in an event of this record: in its present state and in its former one."""
    state = record.removesuffix("Event")
    naming = [field for field in FIELDS.get(state, ()) if Personal(state, field).naming]
    told = [event.get("current"), event.get("previous")]
    return {one[field] for one in told if one for field in naming if one.get(field)}


def needles(names: Iterable[str]) -> list[bytes]:
    """The byte sequences by which names are found, the shortest names left out."""
    found: dict[bytes, None] = {}
    for name in sorted(names):
        if len(name) >= SHORTEST:
            found[name.encode()] = None
            found[json.dumps(name)[1:-1].encode()] = None
    return list(found)


def holds(
    wanted: Collection[bytes],
    key: bytes | None,
    value: bytes | None,
    headers: Mapping[str, str | bytes | None] | Iterable[tuple[str, str | bytes | None]] | None,
) -> str | None:
    """Which part of a record holds one of these byte sequences: `value`, `key` or `headers`; None where none does."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    others = b"\n".join(text.encode() if isinstance(text, str) else text or b"" for _, text in pairs)
    for part, content in (("value", value), ("key", key), ("headers", others)):
        if content and any(one in content for one in wanted):
            return part
    return None
