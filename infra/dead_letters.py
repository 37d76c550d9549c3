"""Dead letters: what failed, where, which business process is affected, and who owns the remedy.

Pure: the same record and failure give the same letter, with the same id, so that parking it twice shows as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from infra.errors import BurnlineError
from infra.logs import SECRET_WORDS
from schemas.events import meta
from schemas.records import DeadLetterEvent
from schemas.topics import TOPICS, Process, topic

DEAD_LETTERS = topic("ops.dead-letter.v1")
RUNBOOK = "docs/runbooks/dead-letter.md"
LIMIT = 500_000
"""Bytes of a value that travel with the letter: letter and all must stay below a record's 1 MB."""

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

    Partition and offset are -1 for what never was on a topic; such letters differ by `at`. A value beyond `LIMIT` bytes
    stays where it is, and the letter says so. Headers named like secrets are left out.
    """
    contract = TOPICS.get(topic_name)
    remedy = getattr(error, "remedy", "") or "read the error, mend the cause, then retry the letter"
    if value is not None and len(value) > LIMIT:
        remedy += f"; the value of {len(value)} bytes is too large to travel and is still at its topic and offset"
        value = None
    subject = key.decode("utf-8", "replace") if key else f"{topic_name}:{partition}:{offset}"
    return {
        "meta": meta(
            DEAD_LETTERS,
            "parked",
            source=f"kafka:{topic_name}:{partition}",
            subject=subject,
            version=offset if offset >= 0 else (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
            occurred_at=at,
            recorded_at=at,
            mode="derived",
            tenant=tenant,
            company_id=None,
        ),
        "current": {
            "status": "parked",
            "topic": topic_name,
            "partition": partition,
            "offset": offset,
            "key": key,
            "value": value,
            "headers": _kept(headers),
            "error_class": type(error).__name__,
            "error": str(error) if isinstance(error, BurnlineError) else f"{type(error).__name__}: {error}",
            "remedy": remedy,
            "stage": stage,
            "business_process": (contract.process if contract else Process.OPERATIONS).value,
            "owner": contract.owner if contract else "platform",
            "runbook": RUNBOOK,
            "first_failed_at": at,
            "last_failed_at": at,
            "attempts": 1,
        },
    }


def _kept(headers: Headers) -> dict[str, bytes]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    return {
        name: value.encode() if isinstance(value, str) else value or b""
        for name, value in pairs
        if not any(word in name.lower().replace("-", "_") for word in SECRET_WORDS)
    }
