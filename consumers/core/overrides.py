"""What a person may decide about an action, a duty or a freeze, and when it takes effect. Pure.

| override | of | means |
|---|---|---|
| skipped | an action | it shall not be done |
| done_by_hand | an action | it was done without Burnline: it is never sent |
| acknowledged | a duty | it is in hand: nobody else is told, nothing is frozen |
| released | a freeze | the step may be done again |

Rules; the first that holds decides
1. Nobody knows what it is about, it has ended, or the override does not go with it: refused.
2. The policy rule does not ask for two persons: it takes effect.
3. Another person asked for the same: it takes effect, confirmed.
4. The same person asked for the same: refused, since a second one is needed.
5. Else it is asked for, and changes nothing yet.

Who reads an override goes by `counts`, not by its status alone: where the policy asks for two persons, it must name two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from consumers.core.action_events import ACTIONS
from consumers.core.policy import Policy
from schemas.events import meta
from schemas.records import Action, ActionEvent, Override
from schemas.rekeyed import action_subject

DUTY, FREEZE = "duty", "freeze"
"""The kinds under which a duty and a freeze are overridden, next to those of targets."""
OVERRIDES: tuple[Override, ...] = ("acknowledged", "skipped", "done_by_hand", "released")
SHORTEST_REASON, LONGEST_REASON = 3, 1000
SOURCE = "burnline.override"


@dataclass(frozen=True, slots=True)
class Overridable:
    """What can be overridden: an action that has not succeeded, a duty that is open, a freeze that holds."""

    identity: str
    kind: str
    policy: str
    alert_id: str
    target: str
    owner: str
    attempt: int
    tenant: str
    company_id: int | None
    correlation_id: str
    asked: Action | None = None
    """What one person asked for, and no second has confirmed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not taken, and why; `remedy` is what to do."""

    why: str
    remedy: str


def counts(action: Action, policy: Policy) -> bool:
    """Whether an override is in effect: it is one, and names two persons where the policy rule asks for two."""
    if action["status"] != "overridden":
        return False
    rule = policy.rule(action["policy"])
    if not action["second_needed"] and (rule is None or not rule.dual_control):
        return True
    return action["confirmed_by"] not in {None, action["decided_by"]}


def override(
    subject: Overridable, wanted: Override, policy: Policy, *, reason: str, by: str, at: datetime
) -> ActionEvent | Refused:
    """The event of an override, in effect or asked for; `Refused` where it may not be."""
    fitting: dict[str, set[Override]] = {DUTY: {"acknowledged"}, FREEZE: {"released"}}
    if wanted not in fitting.get(subject.kind, {"skipped", "done_by_hand"}):
        fits = ", ".join(sorted(fitting.get(subject.kind, {"skipped", "done_by_hand"})))
        return Refused(f"{wanted} does not go with a {subject.kind}", f"say one of {fits}")
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        return Refused(
            f"the reason has {len(reason.strip())} characters", f"give one of {SHORTEST_REASON} to {LONGEST_REASON}"
        )
    rule = policy.rule(subject.policy)
    if rule is None or not rule.dual_control:
        return _event(subject, wanted, reason, at, decided_by=by, confirmed_by=None, second=False)
    asked = subject.asked
    if asked is None or asked["override"] != wanted:
        return _event(subject, wanted, reason, at, decided_by=by, confirmed_by=None, second=True)
    if asked["decided_by"] == by:
        return Refused(
            f"{by} asked for it already, and the policy rule {subject.policy} asks for two persons",
            "let somebody else say the same, under a name of their own",
        )
    said = f"{asked['reason']}; confirmed: {reason.strip()}"
    return _event(subject, wanted, said, at, decided_by=asked["decided_by"], confirmed_by=by, second=True)


def _event(
    subject: Overridable,
    wanted: Override,
    reason: str,
    at: datetime,
    *,
    decided_by: str | None,
    confirmed_by: str | None,
    second: bool,
) -> ActionEvent:
    waits = second and confirmed_by is None
    status: Literal["override_requested", "overridden"] = "override_requested" if waits else "overridden"
    return {
        "meta": meta(
            ACTIONS,
            "override-requested" if waits else "overridden",
            source=SOURCE,
            subject=action_subject(subject.identity, status),
            version=(at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
            occurred_at=at,
            recorded_at=at,
            mode="derived",
            tenant=subject.tenant,
            company_id=subject.company_id,
            correlation_id=subject.correlation_id,
        ),
        "current": {
            "action_id": subject.identity,
            "alert_id": subject.alert_id,
            "policy": subject.policy,
            "target": subject.target,
            "kind": subject.kind,
            "status": status,
            "attempt": subject.attempt,
            "detail": None,
            "reference": None,
            "owner": subject.owner,
            "due_at": None,
            "first_attempt": 1,
            "override": wanted,
            "reason": reason.strip(),
            "decided_by": decided_by,
            "confirmed_by": confirmed_by,
            "second_needed": second,
        },
    }
