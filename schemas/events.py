"""What every event has in common: keys, deterministic ids, types, and the CloudEvents headers made from its meta.

Invariants
- The same change has the same id, however often it is captured: ids are UUIDv5 of what they name.
- Headers say nothing that the value does not say too.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha1
from typing import Any, Final

from schemas.errors import PoisonMessage
from schemas.records import Meta, Mode
from schemas.topics import Deprecation, Topic

NAMESPACE = uuid.UUID("6d2b1f0e-5a0c-5d57-9a55-b0b1e5e2c0de")
_IN_NAMESPACE = sha1(NAMESPACE.bytes, usedforsecurity=False)
_VARIANT = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}
"""The first digit of the fourth group, whose two upper bits RFC 9562 sets."""
CONTENT_TYPE = b"application/avro"
SUCCESSOR = "successor"
"""The header that names the topic to read instead. An event that has it stands there, too."""

Headers = list[tuple[str, str | bytes | None]]

MIRRORED: Final = {"ce_id": "event_id", "ce_type": "event_type", "ce_source": "source", "ce_subject": "subject"}
_WRITTEN: Final = (
    "ce_specversion",
    *MIRRORED,
    "ce_time",
    "ce_recordedtime",
    "ce_correlationid",
    "ce_dataclassification",
    "content-type",
)
_EXPECTED: Final[list[tuple[str, str | None]]] = [(name, MIRRORED.get(name)) for name in _WRITTEN]
"""The names in the order in which they are written, each with the field of the meta that it mirrors: so that none has to be looked up."""
_SHOWN = 200


def odoo_key(database: str, model: str, record_id: object) -> str:
    """The key of an Odoo record: `odoo:<database>:<model>:<id>`."""
    return f"odoo:{database}:{model}:{record_id}"


def deterministic_id(*parts: object) -> str:
    """A UUIDv5 of the parts: the same parts, in the same order, always give the same id."""
    digest = _IN_NAMESPACE.copy()
    digest.update("|".join(map(str, parts)).encode())
    text = digest.hexdigest()  # as `uuid.uuid5` puts it together, for a quarter of the time
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def event_id(source: str, subject: str, version: int, event_type: str) -> str:
    """The id of an event: what it is about and which version of it, never when it was seen."""
    return deterministic_id(source, subject, version, event_type)


def meta(
    topic: Topic,
    verb: str,
    *,
    source: str,
    subject: str,
    version: int,
    occurred_at: datetime,
    recorded_at: datetime,
    mode: Mode,
    tenant: str,
    company_id: int | None,
    correlation_id: str | None = None,
    causation_id: str | None = None,
) -> Meta:
    """The meta of an event of a topic. Without a correlation the event begins one: its own id."""
    kind = topic.event_type(verb)
    identity = event_id(source, subject, version, kind)
    return {
        "event_id": identity,
        "event_type": kind,
        "source": source,
        "subject": subject,
        "occurred_at": occurred_at,
        "recorded_at": recorded_at,
        "version": version,
        "correlation_id": correlation_id or identity,
        "causation_id": causation_id,
        "mode": mode,
        "tenant": tenant,
        "company_id": company_id,
    }


def cloudevents_headers(topic: Topic, m: Meta) -> Headers:
    """CloudEvents 1.0 headers in Kafka's binary mode, so that a subscriber can filter without decoding."""
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", m["event_id"].encode()),
        ("ce_type", m["event_type"].encode()),
        ("ce_source", m["source"].encode()),
        ("ce_subject", m["subject"].encode()),
        ("ce_time", rfc3339(m["occurred_at"]).encode()),
        ("ce_recordedtime", rfc3339(m["recorded_at"]).encode()),
        ("ce_correlationid", m["correlation_id"].encode()),
        ("ce_dataclassification", topic.data_class.encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if m["causation_id"] is not None:
        headers.append(("ce_causationid", m["causation_id"].encode()))
    if topic.deprecation is not None:
        headers += deprecation_headers(topic.deprecation)
    return headers


def deprecation_headers(deprecation: Deprecation) -> Headers:
    """What a subscriber of a deprecated topic is told with each event: since when (as in RFC 9745), until when (RFC 8594), what next."""
    since, sunset = (
        datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (deprecation.since, deprecation.sunset)
    )
    return [
        ("deprecation", f"@{since.timestamp():.0f}".encode()),
        ("sunset", format_datetime(sunset, usegmt=True).encode()),
        (SUCCESSOR, deprecation.successor.encode()),
    ]


def refuse_contradiction(
    headers: Mapping[str, str | bytes | None] | Iterable[tuple[str, str | bytes | None]] | None, m: Mapping[str, Any]
) -> None:
    """Raises `PoisonMessage` where a CloudEvents header says something else than the value's meta, in either form.

    Nobody can tell which of the two is true, and whoever filters by headers saw another event. Headers that are not there are fine.
    """
    if not isinstance(headers, list):
        headers = list(headers.items() if isinstance(headers, Mapping) else headers or ())
    told: list[tuple[str, Any]] = headers
    for place, (name, said) in enumerate(told):
        expected = _EXPECTED[place] if place < len(_EXPECTED) else None
        mirrored = expected[1] if expected is not None and expected[0] == name else MIRRORED.get(name)
        if mirrored is not None:
            true: str = m[mirrored]
            if said != true.encode() and said != true:
                raise _contradiction(name, said, true)


def _contradiction(name: str, said: str | bytes | None, true: str) -> PoisonMessage:
    shown = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return PoisonMessage(
        f"the header {name} says {shown[:_SHOWN]}, the value {true[:_SHOWN]}",
        remedy="find who changed the one and not the other between the producer and here; the producer writes both alike",
        reason="headers_contradict",
    )


def rfc3339(moment: datetime) -> str:
    """A moment in UTC, with microseconds, as CloudEvents writes it."""
    return _rfc3339(moment if moment.tzinfo is UTC else moment.astimezone(UTC))


@lru_cache(1024)
def _rfc3339(moment: datetime) -> str:
    """Kept, since all that happened at the end of a day says so; of UTC alone, where equal moments are told alike."""
    return f"{moment.isoformat(timespec='microseconds')[:-6]}Z"
