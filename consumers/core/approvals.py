"""A request for approval, seen as an alert: who is asked has a duty like anybody else, and a decision clears it.

The rule is `approval.<category>`, in lower case with dashes, so that a policy can tell discounts from write-offs; the amount is where
an alert has its amount, so that a policy can tell what is material. Pure: the same event gives the same alert.
"""

from __future__ import annotations

import re
from typing import Literal

from consumers.core.plain import number
from consumers.core.policy import APPROVALS
from schemas.events import deterministic_id, rfc3339
from schemas.records import Alert, AlertEvent, Approval, ApprovalEvent

OWNER = "platform"


def alert_of(event: ApprovalEvent) -> AlertEvent | None:
    """The alert that a request raises while nobody has decided, and clears when somebody has, or it is gone. None where neither is told."""
    request = event["current"] or event["previous"]
    if request is None:
        return None
    subject = event["meta"]["subject"]
    undecided = event["current"] is not None and request["status"] == "requested"
    status: Literal["raised", "cleared"] = "raised" if undecided else "cleared"
    rule = APPROVALS + (re.sub(r"[^a-z0-9]+", "-", request["category"].lower()).strip("-") or "other")
    current: Alert = {
        "alert_id": deterministic_id("approval", subject, request["requested_at"]),
        "rule": rule,
        "status": status,
        "severity": "notice",
        "subject_kind": "approval",
        "episode": 1,
        "level": request["category"],
        "value": None,
        "threshold": None,
        "passed": [],
        "values": _values(request),
        "as_of": request["requested_at"].date(),
        "formula": "approval/1",
        "rules": None,
        "rules_from": None,
        "caused_by": [event["meta"]["event_id"]],
        "owner": OWNER,
        "business_process": "operations",
        "runbook": "docs/runbooks/approval.md",
        "company_id": request["company_id"],
        "revision": 1 if undecided else 2,
    }
    return {"meta": event["meta"], "current": current}


def is_request(alert: AlertEvent) -> bool:
    """Whether an alert stands for a request for approval, which is on no topic of alerts."""
    return alert["current"]["rule"].startswith(APPROVALS)


def subject_of(alert: AlertEvent) -> str:
    """The key of what an alert is about: of a request for approval, what the decision is about, if it says so."""
    return alert["current"]["values"].get("subject_key") or alert["meta"]["subject"]


def _values(request: Approval) -> dict[str, str]:
    told = {
        "title": request["title"],
        "subject_key": request["subject_key"],
        "amount": None if request["amount"] is None else number(request["amount"]),
        "currency": request["currency"],
        "due_at": None if request["due_at"] is None else rfc3339(request["due_at"]),
    }
    return {name: value for name, value in told.items() if value}
