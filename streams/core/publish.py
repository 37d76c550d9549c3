"""Measures and alerts as events, with deterministic ids.

Rules
- A measure's id is made of its subject, day, revision and type; its version is the revision. It occurred when its day began in the
  subject's time zone, or when its newest record was written, if that was later: both come from events, whatever the batches.
- An alert event's id is made of the alert's id and its type, of a changed alert with its revision; its version grows with each of the subject. It occurred at the last tick, or when the entry that crossed the line was
  written, if that was later.
- Both are caused by the newest event that moved the subject, and correlate with it.
"""

from __future__ import annotations

from datetime import datetime

from schemas.events import deterministic_id
from schemas.records import AlertEvent, Meta
from schemas.topics import topic
from streams.core import days
from streams.core.alerts import Crossing
from streams.core.processor import Processor, Voice, event_ids
from streams.core.ratios import as_share
from streams.core.state import PartitionState, SubjectState

SOURCE = "burnline"
ALERT_TOPIC = topic("governance.alert.v1")


def _meta(
    event_id: str,
    event_type: str,
    subject: SubjectState,
    *,
    occurred_at: datetime,
    version: int,
    cause: str | None,
    company_id: int | None,
) -> Meta:
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


def measure_meta(processor: Processor, partition: PartitionState, subject: SubjectState) -> Meta:
    """Meta of a measured subject's measure."""
    voice = processor.of(subject)
    as_of, zone = subject.as_of, subject.zone
    if as_of is None or zone is None:
        raise ValueError(f"{subject.key} has no day: it is measured only with master data and after a tick")
    revision = partition.revision(subject)
    kind = topic(voice.topic).event_type("measured")
    recorded_at, cause, _ = partition.marks(subject)[-1]
    occurred_at = days.moment(max(recorded_at, days.midnight(as_of, zone)))
    identity = deterministic_id(SOURCE, subject.about, as_of, revision, kind)
    return _meta(
        identity,
        kind,
        subject,
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
    said = (crossing.revision,) if crossing.status == "changed" else ()
    company_id = voice.company(subject)
    return {
        "meta": _meta(
            deterministic_id(SOURCE, alert_id, kind, *said),
            kind,
            subject,
            occurred_at=days.moment(tick if recorded_at is None else max(tick, recorded_at)),
            version=version,
            cause=caused_by[-1],
            company_id=company_id,
        ),
        "current": {
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
        },
    }
