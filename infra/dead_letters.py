"""Dead letters: what failed, where, which business process is affected, and who owns the remedy.

Pure: the same record and failure give the same letter, with the same id, so that parking it twice shows as one.

Invariants
- A letter fits where the record it is about may not. What is too large to travel is cut; the size and the digest of the whole say
  so, and by them it is known again where it is kept.
- A record that was sent back and failed again is the same letter: its copy bears the letter's id, its attempts and its first failure in headers.
- A letter holds nothing that a tombstone on another topic has to erase: a record of a compacted topic about people is withheld, and
  read again where it stands, or where it came from.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from infra.errors import BurnlineError, PoisonMessage
from infra.logs import SECRET_WORDS
from schemas.events import meta
from schemas.privacy import erasable
from schemas.records import DeadLetterEvent
from schemas.topics import TOPICS, Process, topic

DEAD_LETTERS = topic("ops.dead-letter.v1")
RUNBOOK = "docs/runbooks/dead-letter.md"
LIMIT = 500_000
"""Bytes of the largest value that travels whole: letter and all must stay below a record's 1 MB."""
EXCERPT = 10_000
"""Bytes that travel of a larger value, or of a larger key."""
HEADERS = 50_000
"""Bytes of headers that travel: those that come first."""
MIRRORED = "ce_"
"""What headers begin with that say no more than an event's meta: ids and times."""
SENTENCE = 4_000
"""Characters of an error."""

LETTER, ATTEMPTS, SINCE = "burnline-letter", "burnline-attempts", "burnline-failed-since"
ACTION, FIRST = "burnline-action", "burnline-first-attempt"
COPY_HEADERS = frozenset({LETTER, ATTEMPTS, SINCE, ACTION, FIRST})
"""Headers of a copy: of which letter, after how many attempts, first failed at which microsecond since 1970; and for which action, from which attempt on."""
_NAMED_BY = {"ce_correlationid": "correlation_id", "ce_id": "causation_id"}
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Headers = Mapping[str, str | bytes | None] | Iterable[tuple[str, str | bytes | None]] | None


def parked(
    topic_name: str,
    partition: int,
    offset: int,
    *,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    error: Exception,
    stage: str,
    at: datetime,
    tenant: str = "",
) -> DeadLetterEvent:
    """The letter for a record that could not be handled at `stage`, first failed `at` (UTC).

    Partition and offset are -1 for what never was on a topic; such letters differ by `at`. Of a value beyond `LIMIT` bytes only
    the first `EXCERPT` travel, and none of it where it is withheld; the letter says so. Headers named like secrets are left out.
    """
    contract = TOPICS.get(topic_name)
    letter, attempts, since = _before(headers)
    asked = asked_again(headers)
    withheld = erasable(topic_name)
    remedy = getattr(error, "remedy", "") or "read the error, mend the cause, then retry the letter"
    size = None if value is None else len(value)
    digest = None if value is None else hashlib.sha256(value).hexdigest()
    where = "the whole is still at its topic and offset" if offset >= 0 else "the whole is only where it came from"
    if value is not None and withheld:
        remedy += f"; its {len(value)} bytes are about a person and are not in the letter: {where}"
        value = None
    elif value is not None and len(value) > LIMIT:
        remedy += f"; the letter has the first {EXCERPT} of {len(value)} bytes, {where}"
        value = value[:EXCERPT]
    place = f"{topic_name}:{partition}:{offset}"
    subject = key.decode("utf-8", "replace") if key and len(key) <= EXCERPT else place
    said = (
        str(error) if isinstance(error, BurnlineError) else f"{type(error).__name__}{'' if withheld else f': {error}'}"
    )
    return {
        "meta": meta(
            DEAD_LETTERS,
            "parked",
            source=f"kafka:{topic_name}:{partition}",
            subject=subject,
            version=offset if offset >= 0 else _micros(at),
            occurred_at=at,
            recorded_at=at,
            mode="derived",
            tenant=tenant,
            company_id=None,
            **_chain(headers),
        ),
        "current": {
            "status": "parked",
            "topic": topic_name,
            "partition": partition,
            "offset": offset,
            "key": None if key is None else key[:EXCERPT],
            "value": value,
            "headers": _kept(headers, only=MIRRORED if withheld else ""),
            "error_class": type(error).__name__,
            "error": said[:SENTENCE],
            "remedy": remedy[:SENTENCE],
            "stage": stage,
            "business_process": (contract.process if contract else Process.OPERATIONS).value,
            "owner": contract.owner if contract else "platform",
            "runbook": RUNBOOK,
            "first_failed_at": since or at,
            "last_failed_at": at,
            "attempts": attempts + 1,
            "reason": error.reason if isinstance(error, PoisonMessage) else "unknown",
            "value_size": size,
            "value_sha256": digest,
            "letter_id": letter,
            "decided_by": None,
            "note": None,
            "action_id": None if asked is None else asked.action_id,
        },
    }


class Record(Protocol):
    """The part of a Kafka message that a letter is made of."""

    def topic(self) -> str | None: ...
    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> Headers: ...


def letter_of(record: Record, error: Exception, *, stage: str, at: datetime) -> DeadLetterEvent:
    """The letter for a record that was read from a topic, as `parked` makes it."""
    place = record.topic() or "", record.partition() or 0, record.offset() or 0
    return parked(
        *place, key=record.key(), value=record.value(), headers=record.headers(), error=error, stage=stage, at=at
    )


def copy_headers(letter: str, attempts: int, first_failed_at: datetime) -> list[tuple[str, bytes]]:
    """The headers by which a copy of a letter's record is known."""
    told = {LETTER: letter, ATTEMPTS: attempts, SINCE: _micros(first_failed_at)}
    return [(name, str(value).encode()) for name, value in told.items()]


class Again(NamedTuple):
    """An action that a person asked for anew, and the number of the first attempt that may follow."""

    action_id: str
    first: int


def again_headers(asked: Again) -> list[tuple[str, bytes]]:
    """The further headers of a copy that is there for one action about its record."""
    return [(ACTION, asked.action_id.encode()), (FIRST, str(asked.first).encode())]


def asked_again(headers: Headers) -> Again | None:
    """The action that a record is there for again; None of a record that is there for itself."""
    told = dict(_pairs(headers))
    try:
        return Again(str(uuid.UUID(told[ACTION].decode())), int(told[FIRST]))
    except (KeyError, ValueError):
        return None


def headers_about(headers: Headers, action_id: str) -> list[tuple[str, bytes]]:
    """The headers of an action's record, without those of a copy that is there for another: its letter is not ours."""
    asked = asked_again(headers)
    others = asked is not None and asked.action_id != action_id
    return [pair for pair in _pairs(headers) if not (others and pair[0] in COPY_HEADERS)]


def is_copy_of(headers: Headers, letter: str) -> bool:
    """Whether a record is a copy that was sent back for this letter."""
    return (LETTER, letter.encode()) in _pairs(headers)


def _before(headers: Headers) -> tuple[str | None, int, datetime | None]:
    """The letter, the attempts and the first failure that a copy tells; of any other record none."""
    told = {name: content for name, content in _pairs(headers) if name in COPY_HEADERS}
    try:
        letter = str(uuid.UUID(told[LETTER].decode()))
        since = _BEGINNING + timedelta(microseconds=int(told[SINCE]))
        return letter, max(int(told[ATTEMPTS]), 1), since
    except (KeyError, ValueError, OverflowError):
        return None, 0, None


def _chain(headers: Headers) -> dict[str, str]:
    """The correlation that a record's headers name, and the record's own event as the cause, so that a letter stands in its chain."""
    told = {name: content.decode("utf-8", "replace") for name, content in _pairs(headers) if name in _NAMED_BY}
    found = {_NAMED_BY[name]: value for name, value in told.items() if _is_uuid(value)}
    if "causation_id" in found:
        found.setdefault("correlation_id", found["causation_id"])
    return found


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _micros(at: datetime) -> int:
    return (at - _BEGINNING) // timedelta(microseconds=1)


def _pairs(headers: Headers) -> list[tuple[str, bytes]]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    return [(name, value.encode() if isinstance(value, str) else value or b"") for name, value in pairs]


def _kept(headers: Headers, *, only: str = "") -> dict[str, bytes]:
    """The headers that may travel: those that begin with `only`, none that is named like a secret, and no more than fit."""
    kept: dict[str, bytes] = {}
    left = HEADERS
    for name, content in _pairs(headers):
        if not name.startswith(only) or any(word in name.lower().replace("-", "_") for word in SECRET_WORDS):
            continue
        left -= len(name.encode()) + len(content)
        if left < 0:
            break
        kept[name] = content
    return kept
