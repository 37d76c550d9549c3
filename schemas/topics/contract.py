"""What is said of a topic, and in which words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

PARTITIONS = 6
STEPS_KEPT = str(14 * 24 * 3600 * 1000)
"""Milliseconds for which every step of an action is kept. Longer than an alert is acted upon: `actions.oldest` must stay below it."""
DATA_TEAMS, CLEARED = "analytics", "people-analytics"
PROCESSORS = ("utilization", "budget-burn", "dispute-aging", "client-exposure", "monitors")

AUDITED = frozenset(
    {
        "people.consultant.v1",
        "sales.opportunity.v1",
        "sales.contract.v1",
        "delivery.project.v1",
        "delivery.timesheet.v1",
        "delivery.milestone.v1",
        "delivery.change-request.v1",
        "finance.expense.v1",
        "finance.purchase-order.v1",
        "finance.invoice.v1",
        "finance.payment.v1",
        "finance.dispute.v1",
        "governance.alert.v1",
        "governance.action.v1",
        "governance.duty.v1",
        "governance.freeze.v1",
        "governance.approval.v1",
        "governance.proposal.v1",
        "ops.dead-letter.v1",
    }
)
"""The topics on which something is decided or happens that somebody may have to answer for: the keeper of the audit trail reads them."""


class Process(StrEnum):
    """The business process a topic serves; a dead letter says which one is affected."""

    QUOTE_TO_CASH = "quote-to-cash"
    PROJECT_TO_REVENUE = "project-to-revenue"
    RESOURCE_TO_TIMESHEET = "resource-to-timesheet"
    VENDOR_TO_PAY = "vendor-to-pay"
    ISSUE_TO_RESOLUTION = "issue-to-resolution"
    OPERATIONS = "operations"


class DataClass(StrEnum):
    """How closely the content is to be kept."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    PERSONAL = "personal"


class ServiceLevel(StrEnum):
    """How soon a stopped topic needs a person."""

    GOLD = "gold"
    SILVER = "silver"
    BRONZE = "bronze"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """The end of a topic: the day it was announced, the first day (UTC) on which the topic may be gone, and what to read instead."""

    since: date
    sunset: date
    successor: str


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic and its contract. `verbs` are the event types it carries, in the past tense.

    `publishers` and `subscribers` are roles: nobody else may write or read it. Whoever reads back what it published subscribes, too.
    """

    name: str
    record: str
    key: str
    process: Process
    owner: str
    data_class: DataClass
    verbs: tuple[str, ...] = ()
    compacted: bool = False
    public: bool = True
    publishers: tuple[str, ...] = ("capture",)
    subscribers: tuple[str, ...] = ("capture", DATA_TEAMS)
    service_level: ServiceLevel = ServiceLevel.SILVER
    partitions: int = PARTITIONS
    extra: dict[str, str] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    """The records of a topic that holds rows of several."""
    deprecation: Deprecation | None = None

    @property
    def config(self) -> dict[str, str]:
        """The topic's settings on the broker."""
        if self.compacted:
            return {"cleanup.policy": "compact", **self.extra}
        return {"cleanup.policy": "delete", "retention.ms": "-1", **self.extra}

    @property
    def readers(self) -> tuple[str, ...]:
        """The roles that may read it: its subscribers, but of the data teams only those cleared for it where it is about people."""
        others = tuple(role for role in self.subscribers if role != DATA_TEAMS)
        if self.name in AUDITED:
            others = (*others, "trail")
        if DATA_TEAMS not in self.subscribers:
            return others
        return (*others, CLEARED) if self.data_class is DataClass.PERSONAL else (*others, DATA_TEAMS, CLEARED)

    def event_type(self, verb: str) -> str:
        """The CloudEvents type of one of its events. Raises `KeyError` for a verb that is not declared."""
        if verb not in self.verbs:
            raise KeyError(f"{self.name} declares no event {verb!r}; it has {', '.join(self.verbs)}")
        stem, _, version = self.name.rpartition(".")
        return f"{stem}.{verb}.{version}"
