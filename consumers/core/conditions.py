"""When a rule of the policy speaks: its conditions, all of which must hold. One without a value asks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import ClassVar, Literal

from consumers.core.directory import UNKNOWN, Attributes
from schemas.records import Alert, AlertEvent

SEVERITIES = ("info", "notice", "warning", "critical")
AMOUNTS = ("company_amount", "amount", "disputed_amount", "committed_cost", "actual_cost")
"""Where an alert tells an amount of money: the first that is there counts."""
OF_SUBJECT = ("project_type", "client_tier", "department", "country")
"""Conditions that only the directory can answer."""
Severity = Literal["info", "notice", "warning", "critical"]
Number = int | tuple[int, ...] | None
Word = str | tuple[str, ...] | None


def at_least(severity: str, least: str) -> bool:
    """Whether a severity is as high as another. One that nobody knows is not."""
    return severity in SEVERITIES[SEVERITIES.index(least) :]


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a rule; all must hold.

    rule           a glob of the alert's rule: budget_burn.*; requests for approval are approval.<category>
    severity       at least so severe
    status         raised, changed, cleared
    level          globs of the line crossed
    subject        kinds of subject: project, consultant, invoice, client, approval
    value_at_least, amount_at_least     the measure's value, and the money it is about, in the alert's own currency
    company, department                 ids of Odoo
    project_type, client_tier, country  words, as the events have them
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}
    rule: str = "*"
    severity: Severity = "info"
    status: tuple[Literal["raised", "changed", "cleared"], ...] = ("raised", "changed", "cleared")
    level: Word = None
    subject: Word = None
    value_at_least: Decimal | None = None
    amount_at_least: Decimal | None = None
    company: Number = None
    department: Number = None
    project_type: Word = None
    client_tier: Word = None
    country: Word = None

    def __post_init__(self) -> None:
        """Refuse conditions that nothing can meet."""
        if not self.status:
            raise ValueError("status: an empty list matches no alert")

    @property
    def of_subject(self) -> bool:
        """True where the alert alone cannot tell."""
        return any(getattr(self, name) is not None for name in OF_SUBJECT)

    def matches(self, alert: AlertEvent, about: Attributes = UNKNOWN) -> bool:
        """True where the alert and its subject meet every condition. An alert of unknown status or severity meets none."""
        current = alert["current"]
        return (
            current["status"] in self.status
            and at_least(current["severity"], self.severity)
            and fnmatchcase(current["rule"], self.rule)
            and (self.level is None or _fits(current["level"], self.level))
            and _among(current["subject_kind"], self.subject)
            and _reaches(current["value"], self.value_at_least)
            and _reaches(amount(current), self.amount_at_least)
            and _among(current["company_id"] if about.company is None else about.company, self.company)
            and all(_among(getattr(about, name), getattr(self, name)) for name in OF_SUBJECT)
        )


def amount(alert: Alert) -> Decimal | None:
    """The money an alert is about; None where it tells none."""
    for name in AMOUNTS:
        if name in alert["values"]:
            try:
                return Decimal(alert["values"][name])
            except InvalidOperation:
                return None
    return None


def _fits(level: str, globs: str | tuple[str, ...]) -> bool:
    return any(fnmatchcase(level, glob) for glob in ((globs,) if isinstance(globs, str) else globs))


def _all(wanted: str | int | tuple[str, ...] | tuple[int, ...]) -> tuple[str | int, ...]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


def _among(found: str | int | None, wanted: Word | Number) -> bool:
    return wanted is None or found in _all(wanted)


def _reaches(found: Decimal | None, least: Decimal | None) -> bool:
    return least is None or (found is not None and found >= least)
