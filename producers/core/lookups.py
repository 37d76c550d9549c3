"""What a row alone does not say: a company's currency and time zone, a calendar's minutes, the project of an account.

Declared as tables to read in full (`SOURCES`), built by `build`; small beside the records that need them. A mapping names
the tables it uses, so that its records are looked at again when one of those changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from producers.core.calendars import Calendar, calendars
from producers.core.values import Row, day, ref, text

UTC_NAME = "UTC"


@dataclass(frozen=True, slots=True)
class Source:
    """A model that a lookup is read from; missing optional fields are left out, a missing model leaves it empty."""

    model: str
    fields: tuple[str, ...]


SOURCES = (
    Source("res.currency", ("name",)),
    Source("resource.calendar.attendance", ("calendar_id", "dayofweek", "hour_from", "hour_to", "day_period", "week_type", "display_type", "duration_hours")),
    Source("resource.calendar", ("tz", "two_weeks_calendar", "duration_based", "flexible_hours", "hours_per_day", "hours_per_week", "full_time_required_hours")),
    Source("res.company", ("currency_id", "resource_calendar_id")),
    Source("project.project", ("account_id", "company_id")),
    Source("hr.version", ("employee_id", "contract_date_start", "contract_date_end")),
    Source("hr.leave.type", ("time_type",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Company:
    """A company's currency, and the zone in which its days end."""

    currency: str | None
    timezone: str
    calendar_id: int | None


Employment = tuple[date | None, date | None]


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


def build(rows: Mapping[str, Sequence[Row]]) -> Lookups:
    """The tables from the rows of each source's model."""

    def of(model: str) -> Sequence[Row]:
        return rows.get(model, ())

    currencies = {row["id"]: row["name"] for row in of("res.currency")}
    known = calendars(of("resource.calendar"), of("resource.calendar.attendance"))
    return Lookups(
        currencies=currencies,
        companies={row["id"]: _company(row, currencies, known) for row in of("res.company")},
        calendars=known,
        project_of_account={
            account: row["id"] for row in reversed(of("project.project")) if (account := ref(row.get("account_id")))
        },
        company_of_project={row["id"]: ref(row.get("company_id")) for row in of("project.project")},
        employments=_employments(of("hr.version")),
        worked_leave_types=frozenset(row["id"] for row in of("hr.leave.type") if row.get("time_type") == "other"),
    )


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
