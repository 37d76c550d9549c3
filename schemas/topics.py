"""The one registry of topics: name, key, schema, partitions, retention, owner, process, service level, class, access.

Topics, documentation and access lists are made from it, never written twice. Public event topics keep everything, so that
history can be replayed; topics with people's names are compacted, so that a tombstone erases them. Internal topics may
change with any release and carry no promise.
"""

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


_P, _C, _S = Process, DataClass, ServiceLevel
_BY_STREAMS = ("streams",)
_MEASURED = ("capture", "streams", DATA_TEAMS)
_MEASURES = (DATA_TEAMS,)


_ROWS = {
    "utilization": ("ConsultantEntry", "AbsenceEntry", "FactEntry", "TimeEntry"),
    "budget-burn": ("ProjectEntry", "MilestoneEntry", "CostEntry", "FactEntry", "TimeEntry"),
    "dispute-aging": ("InvoiceEntry", "DisputeEntry", "AbsenceEntry"),
    "client-exposure": ("ExposureEntry",),
    "monitors": ("FactEntry", "AbsenceEntry"),
}
"""What each processor remembers, next to its last tick and its alerts."""


def _rows(processor: str) -> tuple[str, ...]:
    return tuple(f"burnline.internal.{record}" for record in (*_ROWS[processor], "TickEntry", "AlertRow"))


def _internal(
    name: str,
    record: str,
    key: str,
    *,
    compacted: bool = False,
    partitions: int = PARTITIONS,
    by: str = "streams",
    readers: tuple[str, ...] | None = None,
    data_class: DataClass = _C.PERSONAL,
    rows: tuple[str, ...] = (),
) -> Topic:
    kept = {} if compacted else {"retention.ms": "-1"}
    return Topic(
        name,
        record,
        key,
        _P.OPERATIONS,
        "platform",
        data_class,
        compacted=compacted,
        public=False,
        partitions=partitions,
        publishers=(by,),
        subscribers=(by,) if readers is None else readers,
        extra=kept,
        rows=rows,
    )


def _measure(  # noqa: PLR0917  a row of the table, in the order of `Topic`
    name: str, record: str, key: str, process: Process, owner: str, data_class: DataClass
) -> Topic:
    return Topic(
        f"measure.{name}.v1",
        f"burnline.measure.{record}Event",
        key,
        process,
        owner,
        data_class,
        ("measured",),
        compacted=True,
        publishers=_BY_STREAMS,
        subscribers=_MEASURES,
    )


_ALL = (
    Topic(
        "people.consultant.v1",
        "burnline.people.ConsultantEvent",
        "employee",
        _P.RESOURCE_TO_TIMESHEET,
        "people-operations",
        _C.PERSONAL,
        ("registered", "changed", "archived", "deleted"),
        compacted=True,
        subscribers=(*_MEASURED, "governor"),
    ),
    Topic(
        "people.absence.v1",
        "burnline.people.AbsenceEvent",
        "absence",
        _P.RESOURCE_TO_TIMESHEET,
        "people-operations",
        _C.PERSONAL,
        ("requested", "approved", "refused", "cancelled", "changed", "deleted"),
        subscribers=_MEASURED,
    ),
    Topic(
        "people.skill.v1",
        "burnline.people.SkillEvent",
        "skill record",
        _P.RESOURCE_TO_TIMESHEET,
        "people-operations",
        _C.PERSONAL,
        ("certified", "changed", "expired", "withdrawn"),
        subscribers=_MEASURED,
    ),
    Topic(
        "sales.client.v1",
        "burnline.sales.ClientEvent",
        "partner",
        _P.QUOTE_TO_CASH,
        "sales-operations",
        _C.CONFIDENTIAL,
        ("onboarded", "changed", "archived", "deleted"),
        compacted=True,
        subscribers=("capture", "streams", "governor", DATA_TEAMS),
    ),
    Topic(
        "sales.opportunity.v1",
        "burnline.sales.OpportunityEvent",
        "lead",
        _P.QUOTE_TO_CASH,
        "sales-operations",
        _C.CONFIDENTIAL,
        ("opened", "changed", "won", "lost", "deleted"),
    ),
    Topic(
        "sales.contract.v1",
        "burnline.sales.ContractEvent",
        "order",
        _P.QUOTE_TO_CASH,
        "sales-operations",
        _C.CONFIDENTIAL,
        ("quoted", "signed", "confirmed", "amended", "cancelled", "changed", "deleted"),
        publishers=("capture", "webhooks"),
        subscribers=_MEASURED,
    ),
    Topic(
        "delivery.project.v1",
        "burnline.delivery.ProjectEvent",
        "project",
        _P.PROJECT_TO_REVENUE,
        "delivery-operations",
        _C.INTERNAL,
        ("created", "activated", "changed", "closed", "deleted"),
        subscribers=(*_MEASURED, "governor"),
    ),
    Topic(
        "delivery.task.v1",
        "burnline.delivery.TaskEvent",
        "task",
        _P.PROJECT_TO_REVENUE,
        "delivery-operations",
        _C.INTERNAL,
        ("created", "completed", "cancelled", "reopened", "changed", "deleted"),
        subscribers=_MEASURED,
    ),
    Topic(
        "delivery.assignment.v1",
        "burnline.delivery.AssignmentEvent",
        "task and person",
        _P.RESOURCE_TO_TIMESHEET,
        "delivery-operations",
        _C.INTERNAL,
        ("assigned", "changed", "unassigned"),
        subscribers=_MEASURED,
    ),
    Topic(
        "delivery.timesheet.v1",
        "burnline.delivery.TimesheetEvent",
        "timesheet line",
        _P.RESOURCE_TO_TIMESHEET,
        "delivery-operations",
        _C.PERSONAL,
        ("logged", "submitted", "approved", "corrected", "reopened", "invoiced", "deleted"),
        service_level=_S.GOLD,
        subscribers=_MEASURED,
    ),
    Topic(
        "delivery.milestone.v1",
        "burnline.delivery.MilestoneEvent",
        "milestone",
        _P.PROJECT_TO_REVENUE,
        "delivery-operations",
        _C.INTERNAL,
        ("planned", "changed", "reached", "approved", "reopened", "deleted"),
        subscribers=_MEASURED,
    ),
    Topic(
        "delivery.change-request.v1",
        "burnline.delivery.ChangeRequestEvent",
        "request",
        _P.PROJECT_TO_REVENUE,
        "delivery-operations",
        _C.INTERNAL,
        ("raised", "approved", "rejected", "withdrawn", "changed", "deleted"),
        publishers=("capture", "webhooks"),
        subscribers=_MEASURED,
    ),
    Topic(
        "finance.expense.v1",
        "burnline.finance.ExpenseEvent",
        "expense",
        _P.VENDOR_TO_PAY,
        "finance-operations",
        _C.PERSONAL,
        ("drafted", "submitted", "approved", "refused", "posted", "paid", "changed", "deleted"),
        subscribers=_MEASURED,
    ),
    Topic(
        "finance.purchase-order.v1",
        "burnline.finance.PurchaseOrderEvent",
        "order",
        _P.VENDOR_TO_PAY,
        "finance-operations",
        _C.CONFIDENTIAL,
        ("requested", "approved", "confirmed", "invoiced", "cancelled", "changed", "deleted"),
        subscribers=_MEASURED,
    ),
    Topic(
        "finance.receipt.v1",
        "burnline.finance.ReceiptEvent",
        "picking",
        _P.VENDOR_TO_PAY,
        "finance-operations",
        _C.INTERNAL,
        ("expected", "received", "cancelled", "changed", "deleted"),
    ),
    Topic(
        "finance.invoice.v1",
        "burnline.finance.InvoiceEvent",
        "move",
        _P.QUOTE_TO_CASH,
        "finance-operations",
        _C.CONFIDENTIAL,
        (
            "drafted",
            "posted",
            "changed",
            "overdue",
            "partially-paid",
            "paid",
            "reversed",
            "blocked",
            "cancelled",
            "deleted",
        ),
        service_level=_S.GOLD,
        subscribers=(*_MEASURED, "assist"),
    ),
    Topic(
        "finance.payment.v1",
        "burnline.finance.PaymentEvent",
        "payment",
        _P.QUOTE_TO_CASH,
        "finance-operations",
        _C.CONFIDENTIAL,
        ("registered", "settled", "rejected", "cancelled", "changed", "deleted"),
        publishers=("capture", "webhooks"),
    ),
    Topic(
        "finance.dispute.v1",
        "burnline.finance.DisputeEvent",
        "invoice",
        _P.ISSUE_TO_RESOLUTION,
        "finance-operations",
        _C.CONFIDENTIAL,
        ("opened", "updated", "escalated", "resolved", "withdrawn", "reopened", "deleted"),
        publishers=("capture", "webhooks"),
        service_level=_S.GOLD,
        subscribers=_MEASURED,
    ),
    Topic(
        "ops.clock.v1",
        "burnline.ops.TickEvent",
        "partition",
        _P.OPERATIONS,
        "platform",
        _C.PUBLIC,
        ("ticked",),
        publishers=("clock",),
        subscribers=("clock", "streams", "governor", DATA_TEAMS),
        extra={"retention.ms": "7776000000"},
    ),
    Topic(
        "measure.utilization.v1",
        "burnline.measure.UtilizationEvent",
        "employee",
        _P.RESOURCE_TO_TIMESHEET,
        "people-operations",
        _C.PERSONAL,
        ("measured",),
        compacted=True,
        publishers=_BY_STREAMS,
        subscribers=_MEASURES,
    ),
    Topic(
        "measure.budget-burn.v1",
        "burnline.measure.BudgetBurnEvent",
        "project",
        _P.PROJECT_TO_REVENUE,
        "delivery-operations",
        _C.CONFIDENTIAL,
        ("measured",),
        compacted=True,
        publishers=_BY_STREAMS,
        subscribers=_MEASURES,
    ),
    Topic(
        "measure.dispute-aging.v1",
        "burnline.measure.DisputeAgingEvent",
        "invoice",
        _P.ISSUE_TO_RESOLUTION,
        "finance-operations",
        _C.CONFIDENTIAL,
        ("measured",),
        compacted=True,
        publishers=_BY_STREAMS,
        subscribers=("governor", DATA_TEAMS),
    ),
    Topic(
        "measure.client-exposure.v1",
        "burnline.measure.ClientExposureEvent",
        "partner",
        _P.ISSUE_TO_RESOLUTION,
        "finance-operations",
        _C.CONFIDENTIAL,
        ("measured",),
        compacted=True,
        publishers=_BY_STREAMS,
        subscribers=_MEASURES,
    ),
    _measure(
        "utilization-rollup", "UtilizationRollup", "unit", _P.RESOURCE_TO_TIMESHEET, "people-operations", _C.INTERNAL
    ),
    _measure("burn-rollup", "BurnRollup", "unit", _P.PROJECT_TO_REVENUE, "delivery-operations", _C.CONFIDENTIAL),
    _measure("staffing", "Staffing", "employee", _P.RESOURCE_TO_TIMESHEET, "people-operations", _C.PERSONAL),
    _measure("billing", "Billing", "project", _P.PROJECT_TO_REVENUE, "finance-operations", _C.CONFIDENTIAL),
    _measure("straight-through", "StraightThrough", "process", _P.OPERATIONS, "platform", _C.INTERNAL),
    _measure("data-quality", "DataQuality", "company", _P.OPERATIONS, "platform", _C.INTERNAL),
    _measure("receivables", "Receivables", "unit", _P.QUOTE_TO_CASH, "finance-operations", _C.CONFIDENTIAL),
    _measure("request-aging", "RequestAging", "request", _P.PROJECT_TO_REVENUE, "delivery-operations", _C.CONFIDENTIAL),
    Topic(
        "governance.alert.v1",
        "burnline.governance.AlertEvent",
        "subject",
        _P.OPERATIONS,
        "platform",
        _C.INTERNAL,
        ("raised", "changed", "cleared"),
        service_level=_S.GOLD,
        publishers=("streams", "letters"),
        subscribers=("actions", "letters", "governor", "assist", "operator", DATA_TEAMS),
    ),
    Topic(
        "governance.action.v1",
        "burnline.governance.ActionEvent",
        "action",
        _P.OPERATIONS,
        "platform",
        _C.INTERNAL,
        (
            "requested",
            "attempted",
            "succeeded",
            "failed",
            "abandoned",
            "uncertain",
            "suppressed",
            "override-requested",
            "overridden",
        ),
        compacted=True,
        extra={"retention.ms": "-1", "min.compaction.lag.ms": STEPS_KEPT},
        publishers=("actions", "operator"),
        subscribers=("actions", "governor", "operator", DATA_TEAMS),
        service_level=_S.GOLD,
    ),
    Topic(
        "governance.duty.v1",
        "burnline.governance.DutyEvent",
        "duty",
        _P.OPERATIONS,
        "platform",
        _C.INTERNAL,
        ("assigned", "escalated", "closed"),
        publishers=("governor",),
        subscribers=("governor", "actions", "operator", DATA_TEAMS),
        service_level=_S.GOLD,
    ),
    Topic(
        "governance.freeze.v1",
        "burnline.governance.FreezeEvent",
        "freeze",
        _P.OPERATIONS,
        "platform",
        _C.CONFIDENTIAL,
        ("frozen", "released"),
        compacted=True,
        publishers=("governor",),
        subscribers=("governor", "operator", DATA_TEAMS),
        service_level=_S.GOLD,
    ),
    Topic(
        "governance.proposal.v1",
        "burnline.governance.ProposalEvent",
        "proposal",
        _P.OPERATIONS,
        "platform",
        _C.CONFIDENTIAL,
        ("proposed",),
        publishers=("assist",),
        subscribers=("assist", "operator", DATA_TEAMS),
        service_level=_S.BRONZE,
    ),
    Topic(
        "governance.approval.v1",
        "burnline.governance.ApprovalEvent",
        "request",
        _P.OPERATIONS,
        "platform",
        _C.INTERNAL,
        ("requested", "approved", "rejected", "delegated", "expired", "cancelled", "changed", "deleted"),
        publishers=("capture", "webhooks"),
        subscribers=("capture", "streams", "governor", DATA_TEAMS),
    ),
    Topic(
        "governance.trail.v1",
        "burnline.governance.TrailEvent",
        "chain",
        _P.OPERATIONS,
        "platform",
        _C.CONFIDENTIAL,
        ("entered",),
        publishers=("trail",),
        subscribers=("trail", "operator"),
        partitions=1,
        service_level=_S.GOLD,
    ),
    Topic(
        "ops.dead-letter.v1",
        "burnline.ops.DeadLetterEvent",
        "original key",
        _P.OPERATIONS,
        "platform",
        _C.CONFIDENTIAL,
        ("parked", "retried", "discarded"),
        publishers=("capture", "webhooks", "streams", "actions", "governor", "migration", "trail"),
        subscribers=("operator", "letters"),
        service_level=_S.GOLD,
    ),
    Topic(
        "ops.webhook.v1",
        "burnline.ops.WebhookDeliveryEvent",
        "delivery, or the record of a hint",
        _P.OPERATIONS,
        "platform",
        _C.CONFIDENTIAL,
        ("received",),
        publishers=("webhooks",),
        subscribers=("capture",),
        extra={"retention.ms": "2592000000"},
    ),
    _internal(
        "internal.capture-cursor.v1",
        "burnline.internal.CaptureCursor",
        "model",
        compacted=True,
        partitions=1,
        by="capture",
        data_class=_C.INTERNAL,
        readers=("capture", "operator"),
    ),
    _internal(
        "internal.capture-signal.v1",
        "burnline.internal.CaptureSignal",
        "database",
        partitions=1,
        by="operator",
        data_class=_C.INTERNAL,
        readers=("capture", "operator"),
    ),
    _internal(
        "internal.capture-snapshot.v1",
        "burnline.internal.CaptureSnapshot",
        "snapshot",
        compacted=True,
        partitions=1,
        by="capture",
        data_class=_C.INTERNAL,
        readers=("capture", "operator"),
    ),
    _internal(
        "internal.capture-status.v1",
        "burnline.internal.CaptureStatus",
        "database",
        compacted=True,
        partitions=1,
        by="capture",
        data_class=_C.INTERNAL,
        readers=("capture", "operator"),
    ),
    *(
        _internal(f"internal.{name}-input.v1", "burnline.internal.Frame", "none: the partition is the subject's")
        for name in PROCESSORS
    ),
    *(
        _internal(
            f"internal.{name}-state.v1",
            "rows of burnline.internal",
            "subject and record",
            compacted=True,
            rows=_rows(name),
        )
        for name in PROCESSORS
    ),
)

TOPICS: dict[str, Topic] = {topic.name: topic for topic in _ALL}


def topic(name: str) -> Topic:
    """The contract of a topic. Raises `KeyError` that lists near names for one that is not declared."""
    try:
        return TOPICS[name]
    except KeyError:
        stem = name.partition(".")[0]
        near = [known for known in TOPICS if known.startswith(stem)] or list(TOPICS)
        raise KeyError(f"no topic {name!r}; there is {', '.join(near)}") from None
