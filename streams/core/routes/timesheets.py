"""Lines of time: most of what there is to route, and so written out, without the helpers of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.lines import TimeLine
from streams.core import kinds
from streams.core.contract import Contribution
from streams.core.monitors.data_quality import is_flawed
from streams.core.routes.difference import (
    BUDGET_BURN,
    EMPLOYEE,
    PROJECT,
    UTILIZATION,
    iso,
    system_of,
)
from streams.core.routes.watched import watched

READS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "delivery.timesheet.v1": {
        "burnline.Meta": frozenset(
            {"event_id", "event_type", "source", "subject", "occurred_at", "recorded_at", "version", "tenant"}
        ),
        "burnline.delivery.TimesheetEvent": frozenset({"meta", "previous", "current"}),
        "burnline.delivery.Timesheet": frozenset(
            {
                "employee_id",
                "project_id",
                "date",
                "minutes",
                "billable",
                "leave",
                "approved",
                "cost",
                "currency",
                "invoice_id",
                "order_line_id",
                "company_id",
            }
        ),
    }
}
"""Of the topics that are most of the traffic: the fields of each record that routing reads, so that the rest need not be decoded.

The engine adds none: what it compares with an event's headers is among them. An event of any other topic is decoded whole.
"""


def timesheet(event: Any) -> list[Contribution]:
    """All lines on a project count in its burn; those of a leave are no work of their consultant's."""
    meta, now, before = event["meta"], event["current"], event["previous"]
    record: str = meta["subject"]
    version, event_id, recorded_at = meta["version"], meta["event_id"], meta["recorded_at"]
    system = system_of(meta)
    out: list[Contribution] = []
    employee = project = former_employee = former_project = None
    if now is not None:
        project = now["project_id"]
        if project is not None:
            subject = f"{system}project.project:{project}"
            line = TimeLine(
                subject,
                record,
                version,
                True,
                event_id,
                recorded_at,
                now["date"],
                now["minutes"],
                now["billable"],
                now["approved"],
                int.from_bytes(now["cost"], "big", signed=True),
                now["employee_id"] or 0,
                iso(now["currency"]),
            )
            out.append(Contribution(BUDGET_BURN, subject, kinds.TIME, line))
            if not now["leave"]:
                employee = now["employee_id"]
            if employee is not None:
                subject = f"{system}hr.employee:{employee}"
                out.append(Contribution(UTILIZATION, subject, kinds.TIME, line.to(subject), True))
    if before is not None:
        former_project = before["project_id"]
        if former_project is not None and not before["leave"]:
            former_employee = before["employee_id"]
    if former_employee is not None and former_employee != employee:
        out.append(_no_time(UTILIZATION, f"{system}{EMPLOYEE}:{former_employee}", meta))
    if former_project is not None and former_project != project:
        out.append(_no_time(BUDGET_BURN, f"{system}{PROJECT}:{former_project}", meta))
    if (now is not None and _is_watched(now, recorded_at)) or (before is not None and _is_watched(before, recorded_at)):
        out.extend(watched("delivery.timesheet.v1", event))
    return out


def _is_watched(line: Any, recorded_at: int) -> bool:
    """Whether a line may say something to a monitor: most say nothing, so that this is all they cost."""
    return line["order_line_id"] is not None or is_flawed(line, recorded_at)


def _no_time(processor: str, subject: str, meta: Any) -> Contribution:
    gone = TimeLine(
        subject,
        meta["subject"],
        meta["version"],
        False,
        meta["event_id"],
        meta["recorded_at"],
        0,
        0,
        False,
        False,
        0,
        0,
        "",
    )
    return Contribution(processor, subject, kinds.TIME, gone)
