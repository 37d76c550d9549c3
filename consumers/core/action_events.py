"""The events of an action, keyed by the action: requested, then attempted and succeeded or failed, as often as it takes, then perhaps the end.

`attempted` is published before each attempt and its outcome after it, so that an attempt of which nobody knows the outcome is known as
such. `abandoned`, `uncertain` and `suppressed` end an action without success; after the first of them a person may have it requested anew.
An event's version follows from attempt and status alone, so the same step always has the same id.
"""

from datetime import datetime
from typing import Literal, TypedDict

from consumers.core.plan import Planned
from schemas.events import meta
from schemas.records import ActionEvent, Override
from schemas.rekeyed import action_subject
from schemas.topics import topic

ACTIONS = topic("governance.action.v1")
SOURCE = "burnline.actions"
LONGEST_DETAIL = 500


class _Decision(TypedDict):
    override: Override | None
    reason: str | None
    decided_by: str | None
    confirmed_by: str | None
    second_needed: bool


UNDECIDED: _Decision = {
    "override": None,
    "reason": None,
    "decided_by": None,
    "confirmed_by": None,
    "second_needed": False,
}
"""What stands in an event of an action that no person has decided about."""
Status = Literal["requested", "attempted", "succeeded", "failed", "abandoned", "uncertain", "suppressed"]
_ORDER: dict[Status, int] = {
    "requested": 0,
    "suppressed": 1,
    "attempted": 0,
    "succeeded": 1,
    "failed": 1,
    "abandoned": 2,
    "uncertain": 2,
}


def action_event(
    planned: Planned,
    status: Status,
    attempt: int,
    now: datetime,
    *,
    detail: str | None = None,
    reference: str | None = None,
    due: datetime | None = None,
    first: int = 1,
) -> ActionEvent:
    """The event that an action reached a status. `now` is when it did, `first` the number of the first attempt since it was asked for."""
    cause = planned.alert["meta"]
    return {
        "meta": meta(
            ACTIONS,
            status,
            source=SOURCE,
            subject=action_subject(planned.action_id, status),
            version=3 * attempt + _ORDER[status],
            occurred_at=now,
            recorded_at=now,
            mode="derived",
            tenant=cause["tenant"],
            company_id=cause["company_id"],
            correlation_id=cause["correlation_id"],
            causation_id=cause["event_id"],
        ),
        "current": {
            "action_id": planned.action_id,
            "alert_id": planned.alert["current"]["alert_id"],
            "policy": planned.rule,
            "target": planned.target.label,
            "kind": planned.target.target,
            "status": status,
            "attempt": attempt,
            "detail": detail[:LONGEST_DETAIL] if detail else None,
            "reference": reference,
            "owner": planned.owner,
            "due_at": due,
            "first_attempt": first,
            **UNDECIDED,
        },
    }


def asked_again(last: ActionEvent, *, source: str, reason: str, by: str, at: datetime, cause: str) -> ActionEvent:
    """The event that a person asked anew for an action that was given up; `last` is its last one, `cause` what is tried again.

    Its number is that of the first attempt that may follow. The runner writes that attempt under the same number, and has another source.
    """
    current, told = last["current"], last["meta"]
    attempt = current["attempt"] + 1
    return {
        "meta": meta(
            ACTIONS, "requested", source=source, subject=action_subject(current["action_id"], "requested"),
            version=3 * attempt + _ORDER["requested"], occurred_at=at, recorded_at=at, mode="derived", tenant=told["tenant"],
            company_id=told["company_id"], correlation_id=told["correlation_id"], causation_id=cause,
        ),
        "current": {
            **current, **UNDECIDED, "status": "requested", "attempt": attempt, "first_attempt": attempt, "detail": None, "reference": None,
            "due_at": None, "reason": reason, "decided_by": by,
        },
    }  # fmt: skip
