"""What a row alone does not say: a company's currency and time zone, a calendar's minutes, the project of an account.

Declared as tables to read in full (`SOURCES`), built by `build`; small beside the records that need them. A mapping names
the tables it uses, so that its records are looked at again when one of those changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from producers.core.calendars import Calendar, calendars
from producers.core.values import Row, day, local_day, ref, text

UTC_NAME = "UTC"


@dataclass(frozen=True, slots=True)
class Source:
    """A model that a lookup is read from; missing fields are left out, a missing model leaves it empty."""

    model: str
    fields: tuple[str, ...]
    where: tuple[tuple[str, str, object], ...] = ()


SOURCES = (
    Source("res.currency", ("name",)),
    Source("resource.calendar.attendance", ("calendar_id", "dayofweek", "hour_from", "hour_to", "day_period", "week_type", "display_type", "duration_hours")),
    Source("resource.calendar", ("tz", "two_weeks_calendar", "duration_based", "flexible_hours", "hours_per_day", "hours_per_week", "full_time_required_hours")),
    Source("res.company", ("currency_id", "resource_calendar_id")),
    Source("project.project", ("account_id", "company_id")),
    Source("hr.version", ("employee_id", "contract_date_start", "contract_date_end")),
    Source("hr.leave.type", ("time_type",)),
    Source("hr.department", ("name",)),
    Source("hr.employee", ("user_id", "company_id")),
    Source("hr.skill", ("name",)),
    Source("hr.skill.type", ("name", "is_certification")),
    Source("hr.skill.level", ("name", "level_progress")),
    Source("crm.stage", ("name",)),
    Source("crm.lost.reason", ("name",)),
    Source("crm.tag", ("name",)),
    Source("project.tags", ("name",)),
    Source("uom.uom", ("name",)),
    Source("product.product", ("service_policy",), (("type", "=", "service"),)),
    Source("purchase.order", ("project_id",), (("project_id", "!=", False),)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Company:
    """A company's currency, and the zone in which its days end."""

    currency: str | None
    timezone: str
    calendar_id: int | None


@dataclass(frozen=True, slots=True)
class SkillType:
    """A kind of skill."""

    name: str
    certification: bool


@dataclass(frozen=True, slots=True)
class SkillLevel:
    """A step on a kind's scale."""

    name: str
    percent: int


Employment = tuple[date | None, date | None]
Names = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Lookups:
    """The tables, each by the id it is asked with."""

    currencies: Mapping[int, str] = field(default_factory=dict)
    companies: Mapping[int, Company] = field(default_factory=dict)
    calendars: Mapping[int, Calendar] = field(default_factory=dict)
    project_of_account: Mapping[int, int] = field(default_factory=dict)
    company_of_project: Mapping[int, int | None] = field(default_factory=dict)
    employments: Mapping[int, Employment] = field(default_factory=dict)
    worked_leave_types: frozenset[int] = frozenset()
    departments: Names = field(default_factory=dict)
    employees_of_user: Mapping[int, tuple[tuple[int, int | None], ...]] = field(default_factory=dict)
    """Employee and company, by login: one person may be employed by several companies."""
    company_of_employee: Mapping[int, int | None] = field(default_factory=dict)
    skills: Names = field(default_factory=dict)
    skill_types: Mapping[int, SkillType] = field(default_factory=dict)
    skill_levels: Mapping[int, SkillLevel] = field(default_factory=dict)
    stages: Names = field(default_factory=dict)
    lost_reasons: Names = field(default_factory=dict)
    order_tags: Names = field(default_factory=dict)
    task_tags: Names = field(default_factory=dict)
    units: Names = field(default_factory=dict)
    service_policies: Names = field(default_factory=dict)
    project_of_purchase: Mapping[int, int] = field(default_factory=dict)
    today: Mapping[str, date] = field(default_factory=dict)
    """The day it is in each company's time zone: when it turns, what runs out by itself is looked at again."""

    def currency(self, value: object) -> str | None:
        """ISO code of a currency reference."""
        found = ref(value)
        return self.currencies.get(found) if found is not None else None

    def company(self, company_id: int | None) -> Company:
        """A company; for a record shared by all, the first one."""
        found = self.companies.get(company_id) if company_id is not None else None
        if found is None and self.companies:
            found = self.companies[min(self.companies)]
        return found or Company(None, UTC_NAME, None)

    def employee(self, user_id: int, company_id: int | None) -> int | None:
        """The employee that a login is in a company; in none, where the company is not told, the first one."""
        known = self.employees_of_user.get(user_id, ())
        return next((who for who, where in known if company_id is None or where in {None, company_id}), None)

    def day_in(self, company_id: int | None) -> date | None:
        """The day it is where a company is; None where no day was given."""
        return self.today.get(self.company(company_id).timezone)


def build(rows: Mapping[str, Sequence[Row]], at: datetime | None = None) -> Lookups:
    """The tables from the rows of each source's model, read `at` a moment."""

    def of(model: str) -> Sequence[Row]:
        return rows.get(model, ())

    currencies = {row["id"]: row["name"] for row in of("res.currency")}
    known = calendars(of("resource.calendar"), of("resource.calendar.attendance"))
    companies = {row["id"]: _company(row, currencies, known) for row in of("res.company")}
    zones = {company.timezone for company in companies.values()} or {UTC_NAME}
    return Lookups(
        currencies=currencies,
        companies=companies,
        calendars=known,
        project_of_account={
            account: row["id"] for row in reversed(of("project.project")) if (account := ref(row.get("account_id")))
        },
        company_of_project={row["id"]: ref(row.get("company_id")) for row in of("project.project")},
        employments=_employments(of("hr.version")),
        worked_leave_types=frozenset(row["id"] for row in of("hr.leave.type") if row.get("time_type") == "other"),
        departments=_names(of("hr.department")),
        employees_of_user=_employees_of_user(of("hr.employee")),
        company_of_employee={row["id"]: ref(row.get("company_id")) for row in of("hr.employee")},
        skills=_names(of("hr.skill")),
        skill_types={
            row["id"]: SkillType(row["name"], bool(row.get("is_certification"))) for row in of("hr.skill.type")
        },
        skill_levels={
            row["id"]: SkillLevel(row["name"], row.get("level_progress") or 0) for row in of("hr.skill.level")
        },
        stages=_names(of("crm.stage")),
        lost_reasons=_names(of("crm.lost.reason")),
        order_tags=_names(of("crm.tag")),
        task_tags=_names(of("project.tags")),
        units=_names(of("uom.uom")),
        service_policies=_names(of("product.product"), "service_policy"),
        project_of_purchase={
            row["id"]: project for row in of("purchase.order") if (project := ref(row.get("project_id"))) is not None
        },
        today={zone: local_day(at, zone) for zone in zones} if at is not None else {},
    )


def _names(rows: Iterable[Row], field_name: str = "name") -> dict[int, str]:
    return {row["id"]: name for row in rows if (name := text(row.get(field_name))) is not None}


def _employees_of_user(rows: Iterable[Row]) -> dict[int, tuple[tuple[int, int | None], ...]]:
    found: dict[int, tuple[tuple[int, int | None], ...]] = {}
    for row in sorted(rows, key=lambda one: int(one["id"])):
        user_id = ref(row.get("user_id"))
        if user_id is not None:
            found[user_id] = (*found.get(user_id, ()), (row["id"], ref(row.get("company_id"))))
    return found


def _company(row: Row, currencies: Mapping[int, str], known: Mapping[int, Calendar]) -> Company:
    calendar_id = ref(row.get("resource_calendar_id"))
    calendar = known.get(calendar_id) if calendar_id is not None else None
    currency_id = ref(row.get("currency_id"))
    return Company(
        currency=currencies.get(currency_id) if currency_id is not None else None,
        timezone=text(calendar.timezone if calendar else None) or UTC_NAME,
        calendar_id=calendar_id,
    )


def _employments(versions: Iterable[Row]) -> dict[int, Employment]:
    """First day of the first contract and last day of the last one, over all versions of an employee.

    The employee alone shows only the contract of today: a renewal would forget the time before it.
    """
    found: dict[int, list[tuple[date, date | None]]] = {}
    for row in versions:
        employee, start = ref(row.get("employee_id")), day(row.get("contract_date_start"))
        if employee is not None:
            contracts = found.setdefault(employee, [])
            if start is not None:
                contracts.append((start, day(row.get("contract_date_end"))))
    return {employee: _span(contracts) for employee, contracts in found.items()}


def _span(contracts: list[tuple[date, date | None]]) -> Employment:
    if not contracts:
        return None, None
    starts = [start for start, _ in contracts]
    last = max(starts)
    ends = [end for start, end in contracts if start == last]
    return min(starts), None if None in ends else max(end for end in ends if end is not None)
