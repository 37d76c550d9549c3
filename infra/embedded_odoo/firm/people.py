"""Who works in the firm, for whom, and how much: the standing facts of the simulation."""

from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from infra.embedded_odoo.firm.book import Book
from infra.embedded_odoo.seed import CALENDARS, TIMEZONE, hours_per_day

CONSULTANTS = 30
DEPARTMENTS = ("Strategy", "Data and AI", "Engineering", "Operations")
CLIENTS = (
    "Aldebaran Energy",
    "Boreal Insurance",
    "Cobalt Rail",
    "Dunes Hospitality",
    "Estuary Bank",
    "Fjord Logistics",
    "Granite Pharma",
    "Harbour Telecom",
)
VENDORS = ("Nimbus Cloud", "Pine Recruiting", "Quartz Research")
INTERNAL = "Internal"
_FIRST = [
    "Ada",
    "Bram",
    "Chloe",
    "Daan",
    "Elif",
    "Finn",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaat",
    "Lars",
    "Mila",
    "Noor",
    "Otto",
    "Pia",
    "Quinten",
    "Rosa",
    "Stijn",
    "Tess",
]
_LAST = "Peeters Janssens Maes Jacobs Willems Claes Goossens Wouters De Smet Dubois Lambert Martens".replace(
    "De Smet",
    "DeSmet",
).split()

PROFILES = MappingProxyType(
    {
        "bench": (0.30, 0.30),
        "under": (0.57, 0.22),
        "on_target": (0.76, 0.14),
        "hot": (0.93, 0.14),
        "overloaded": (1.08, 0.16),
    },
)
"""Billable and other hours, as shares of a day's available hours."""
_SPREAD = ("on_target", "under", "on_target", "bench", "hot", "on_target", "under", "overloaded", "on_target", "under")
_PART_TIME = MappingProxyType({4: 2, 9: 3, 13: 2, 17: 4, 22: 3, 26: 4})
_HIRED_DAYS_AGO = MappingProxyType({28: 45})
FORMER = CONSULTANTS + 1
"""The number of the one who left, and is archived."""
LEFT_DAYS_AGO = 40


@dataclass(frozen=True, slots=True)
class Consultant:
    """One consultant, as far as writing time needs to know."""

    id: int
    user_id: int
    department_id: int
    manager_id: int
    calendar: int
    hourly_cost: float
    since: date
    until: date

    @property
    def shares(self) -> tuple[float, float]:
        """Billable and other hours, as shares of the available ones."""
        return PROFILES[_SPREAD[self.id % len(_SPREAD)]]

    def scheduled(self, day: date) -> float:
        """The hours of a weekday by the calendar, while employed."""
        days = CALENDARS[self.calendar][2]
        return hours_per_day(self.calendar) if day.weekday() < days and self.since <= day <= self.until else 0.0

    def projects(self, count: int) -> tuple[int, int]:
        """The places, among `count` client projects, of the two this consultant works for."""
        return self.id % count, (self.id * 3 + 1) % count


def hire(book: Book, at: str) -> list[Consultant]:
    """Write departments, users and employees; the consultants, the former one last."""
    departments = [book.add("hr.department", at, {"name": name, "active": 1}) for name in DEPARTMENTS]
    consultants = [_hire_one(book, number, departments, at) for number in range(1, FORMER + 1)]
    managers = consultants[: len(DEPARTMENTS)]
    for row, manager in zip(book.rows["hr.department"], managers, strict=True):
        row["manager_id"] = manager.id
    return consultants


def _hire_one(book: Book, number: int, departments: list[int], at: str) -> Consultant:
    name = f"{_FIRST[number % len(_FIRST)]} {_LAST[(number * 5) % len(_LAST)]}"
    login = f"{name.lower().replace(' ', '.')}.{number}@brabant.example"
    active = int(number != FORMER)
    calendar = _PART_TIME.get(number, 1)
    partner = book.add("res.partner", at, {"name": name, "email": login, "is_company": 0, "active": 1, "tz": TIMEZONE})
    user = book.add("res.users", at, {"login": login, "partner_id": partner, "active": active})
    resource = {"name": name, "calendar_id": calendar, "user_id": user, "tz": TIMEZONE, "active": active}
    resource_id = book.add("resource.resource", at, resource | {"time_efficiency": 100.0})
    place = (number - 1) % len(departments)
    hired, left = _HIRED_DAYS_AGO.get(number), LEFT_DAYS_AGO if number == FORMER else None
    since = book.today - timedelta(hired) if hired else book.first - timedelta(400 + number)
    until = book.today - timedelta(left) if left else None
    version = {
        "employee_id": book.upcoming("hr.employee"),
        "date_version": since.isoformat(),
        "department_id": departments[place],
        "resource_calendar_id": calendar,
        "contract_date_start": since.isoformat(),
        "departure_date": until.isoformat() if until else None,
        "job_title": "Manager" if number <= len(departments) else "Consultant",
        "active": 1,
    }
    version_id = book.add("hr.version", at, version)
    manager = place + 1 if number > len(departments) else 1 if number > 1 else None
    employee = {
        "name": name,
        "resource_id": resource_id,
        "current_version_id": version_id,
        "user_id": user,
        "parent_id": manager,
        "hourly_cost": 42.0 + 3.5 * (number % 13) + (25.0 if number <= len(departments) else 0.0),
        "work_email": login,
        "active": active,
    }
    book.add("hr.employee", at, employee)
    return Consultant(
        number,
        user,
        departments[place],
        manager or 0,
        calendar,
        float(employee["hourly_cost"] or 0.0),  # type: ignore[arg-type]
        since,
        until or date.max,
    )
