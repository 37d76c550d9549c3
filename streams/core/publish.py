"""Measures and alerts as events, with deterministic ids.

Rules
- A measure's version is its revision. It occurred when its day began in the subject's time zone, or when its newest record was written,
  if that was later: both come from events, whatever the batches.
- An alert event's version grows with each of the subject. It occurred at the last tick, or when the entry that crossed the line was
  written, if that was later.
- Both are caused by the newest event that moved the subject, and correlate with it.
- An event's id is made of all that it says, beside whose it is and its version. Sums of versions, and what an alert remembers, tell of the
  order in which records came: what was heard in another order, by another worker or in a rebuild, may say something else under the
  same revision, or of the same alert, and is another event. The id of the alert itself is the same in any order.

Invariant: events with the same id have the same content, and what has the same content has the same id.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.events import deterministic_id
from schemas.records import Alert, AlertEvent, Meta
from schemas.topics import topic
from streams.core import days
from streams.core.alerts import Crossing
from streams.core.processor import Processor, Voice, event_ids
from streams.core.ratios import as_share
from streams.core.state import PartitionState, SubjectState

SOURCE = "burnline"
ALERT_TOPIC = topic("governance.alert.v1")


def _meta(
    event_type: str,
    subject: SubjectState,
    current: Any,
    *,
    occurred_at: datetime,
    version: int,
    cause: str | None,
    company_id: int | None,
) -> Meta:
    event_id = deterministic_id(
        SOURCE, subject.about, event_type, version, cause, occurred_at, company_id, *current.values()
    )
    return {
        "event_id": event_id,
        "event_type": event_type,
        "source": SOURCE,
        "subject": subject.about,
        "occurred_at": occurred_at,
        "recorded_at": occurred_at,
        "version": version,
        "correlation_id": cause or event_id,
        "causation_id": cause,
        "mode": "derived",
        "tenant": subject.tenant,
        "company_id": company_id,
    }


def measure_meta(processor: Processor, partition: PartitionState, subject: SubjectState, current: Any) -> Meta:
    """Meta of a measured subject's measure, which says this."""
    voice = processor.of(subject)
    as_of, zone = subject.as_of, subject.zone
    if as_of is None or zone is None:
        raise ValueError(f"{subject.key} has no day: it is measured only with master data and after a tick")
    revision = partition.revision(subject)
    kind = topic(voice.topic).event_type("measured")
    recorded_at, cause, _ = partition.marks(subject)[-1]
    occurred_at = days.moment(max(recorded_at, days.midnight(as_of, zone)))
    return _meta(
        kind,
        subject,
        current,
        occurred_at=occurred_at,
        version=revision,
        cause=cause,
        company_id=voice.company(subject),
    )


def alert_events(
    processor: Processor,
    partition: PartitionState,
    subject: SubjectState,
    crossings: list[Crossing],
    recorded_at: int | None,
) -> list[AlertEvent]:
    """What was crossed at once as events, in order. `recorded_at` is that of the entry that led there; none where the clock did."""
    # each crossing moved the memory's version by one or more, so the versions of a subject's alerts never repeat
    voice = processor.of(subject)
    first = subject.memory.version - len(crossings) + 1
    return [
        _alert_event(voice, partition, subject, crossing, version=version, recorded_at=recorded_at)
        for version, crossing in enumerate(crossings, start=first)
    ]


def _alert_event(
    voice: Voice,
    partition: PartitionState,
    subject: SubjectState,
    crossing: Crossing,
    *,
    version: int,
    recorded_at: int | None,
) -> AlertEvent:
    as_of, tick = subject.as_of, partition.tick
    if as_of is None or tick is None:
        raise ValueError(f"{subject.key} has no day: alerts are judged only with master data and after a tick")
    rule, line = crossing.rule, crossing.line
    caused_by = event_ids(partition.marks(subject))
    alert_id = deterministic_id(rule, subject.about, crossing.episode, line.level)
    kind = ALERT_TOPIC.event_type(crossing.status)
    company_id = voice.company(subject)
    current: Alert = {
        "alert_id": alert_id,
        "rule": rule,
        "status": crossing.status,
        "severity": line.severity,
        "subject_kind": voice.subject_kind,
        "episode": crossing.episode,
        "revision": crossing.revision,
        "level": line.level,
        "value": as_share(crossing.value),
        "threshold": as_share(line.at),
        "passed": list(crossing.passed),
        "values": voice.values(subject),
        "as_of": days.to_date(as_of),
        "formula": voice.formula,
        "rules": voice.in_force.name,
        "rules_from": voice.in_force.begins,
        "caused_by": caused_by,
        "owner": line.owner,
        "business_process": voice.process.value,
        "runbook": f"docs/runbooks/{rule}.md",
        "company_id": company_id,
    }
    meta = _meta(
        kind,
        subject,
        current,
        occurred_at=days.moment(tick if recorded_at is None else max(tick, recorded_at)),
        version=version,
        cause=caused_by[-1],
        company_id=company_id,
    )
    return {"meta": meta, "current": current}
