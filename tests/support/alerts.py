"""Alerts as the streams publish them, for tests of those who act on them."""

from datetime import UTC, date, datetime
from decimal import Decimal

from schemas.events import deterministic_id, meta
from schemas.records import AlertEvent
from schemas.topics import topic

ALERTS = topic("governance.alert.v1")


def alert(
    subject: str,
    *,
    rule: str = "budget_burn.hours",
    status: str = "raised",
    episode: int = 1,
    occurred_at: datetime = datetime(2026, 3, 30, 8, 0, tzinfo=UTC),
    **changed: object,
) -> AlertEvent:
    """An alert of level 90; `changed` sets any field of it."""
    now = occurred_at
    level = str(changed.get("level", "90"))
    current = {
        "alert_id": deterministic_id(rule, subject, episode, level),
        "rule": rule,
        "status": status,
        "severity": "warning",
        "subject_kind": "project",
        "episode": episode,
        "level": level,
        "value": Decimal("0.910000000"),
        "threshold": Decimal("0.900000000"),
        "passed": [],
        "values": {"actual_hours": "182", "budget_hours": "200"},
        "as_of": date(2026, 3, 30),
        "formula": "1",
        "rules": None,
        "rules_from": None,
        "caused_by": [],
        "owner": "delivery-operations",
        "business_process": "project-to-revenue",
        "runbook": "infra/runbooks/budget.md",
        "company_id": 1,
        "revision": {"raised": 1, "changed": 2}.get(status, 3),
    } | changed
    identity = deterministic_id(current["alert_id"], status, *([current["revision"]] if status == "changed" else []))
    version = {"raised": 1, "changed": 2, "cleared": 3}.get(status, 4)
    return {
        "meta": meta(
            ALERTS,
            status if status in ALERTS.verbs else "changed",
            source="burnline.streams",
            subject=subject,
            version=10 * episode + version,
            occurred_at=now,
            recorded_at=now,
            mode="derived",
            tenant="firm",
            company_id=1,
        )
        | {"event_id": identity, "correlation_id": identity},
        "current": current,  # type: ignore[typeddict-item]  # a test may break it
    }
