"""How a post that was refused comes again for its letter: what the desk says of it in HTTP headers, and what the server believes.

Pure. A letter's id follows from the door where it failed, its key and its moment. So the server makes the id anew from what is said, for the
door that was knocked at, and believes it where the two are one: who may post there can name letters of that door, and of no other.
Where a delivery is signed, its id must name the letter and the attempt, too; so nobody on the way can say otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, unquote

from infra.dead_letters import ATTEMPTS, DEAD_LETTERS, LETTER, SINCE, copy_headers
from schemas.events import event_id

KEY = "burnline-key"
MOST_ATTEMPTS = 1_000_000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Retried(NamedTuple):
    """The letter that a post is there for: its key, and the headers by which a copy is known."""

    key: bytes
    headers: list[tuple[str, bytes]]


def headers_of(letter: str, key: str, attempts: int, first_failed_at: datetime) -> dict[str, str]:
    """The HTTP headers of a post that is sent for a letter."""
    told = {name: value.decode() for name, value in copy_headers(letter, attempts, first_failed_at)}
    return told | {KEY: quote(key, safe=":")}


def delivery_id(letter: str, attempts: int, body: bytes) -> str:
    """The `webhook-id` of a post for a letter: sent again before the server refused it again, it is one delivery."""
    return f"{_named(letter, attempts)}{hashlib.sha256(body).hexdigest()[:8]}"


def believed(headers: Mapping[str, str], door: str, signed_id: str | None) -> Retried | None:
    """The letter that a post at this door is there for; None where it says of none, or of one that is not the door's.

    `signed_id` is the `webhook-id` of a signed delivery. Header names are in lower case.
    """
    if LETTER not in headers:
        return None
    letter, key = headers[LETTER], unquote(headers.get(KEY, ""))
    try:
        attempts, micros = int(headers[ATTEMPTS]), int(headers[SINCE])
        since = _BEGINNING + timedelta(microseconds=micros)
    except (KeyError, ValueError, OverflowError):
        return None
    if not 0 < attempts < MOST_ATTEMPTS:
        return None
    if event_id(f"kafka:{door}:-1", key, micros, DEAD_LETTERS.event_type("parked")) != letter:
        return None
    if signed_id is not None and not signed_id.startswith(_named(letter, attempts)):
        return None
    return Retried(key.encode(), copy_headers(letter, attempts, since))


def _named(letter: str, attempts: int) -> str:
    return f"dlq-{letter}-{attempts}-"
