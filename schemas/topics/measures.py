"""The clock, and what is measured at its ticks."""

from __future__ import annotations

from schemas.topics.contract import DATA_TEAMS, DataClass, Process, Topic

_P, _C = Process, DataClass
_BY_STREAMS = ("streams",)
_MEASURES = (DATA_TEAMS,)


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


MEASURES: tuple[Topic, ...] = (
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
)
