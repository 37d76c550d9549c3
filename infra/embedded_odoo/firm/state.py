"""What the living firm remembers of itself, so that it can choose its next change without asking the database."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from infra.embedded_odoo.firm.history import Project
from infra.embedded_odoo.firm.people import Consultant


@dataclass(frozen=True, slots=True)
class Step:
    """One command: create, write, unlink, or the name of a method of the model."""

    verb: str
    model: str
    id: int
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Line:
    """A recent timesheet."""

    id: int
    employee: int
    project: int
    day: date
    hours: float
    approved: bool


@dataclass(slots=True)
class Invoice:
    """A customer's invoice with something left to pay."""

    id: int
    total: float
    residual: float
    dispute: str
    draft: bool
    partner: int


@dataclass(slots=True)
class Budget:
    """A client project's hours."""

    hours: float
    allocated: float

    @property
    def burn(self) -> float:
        """Actual hours over budget."""
        return self.hours / self.allocated if self.allocated else 0.0


@dataclass(slots=True)
class State:
    """The firm as it stands; `days` are those on which time is written now."""

    consultants: dict[int, Consultant]
    projects: dict[int, Project]
    internal: int
    days: list[date]
    lines: dict[int, Line] = field(default_factory=dict)
    budgets: dict[int, Budget] = field(default_factory=dict)
    archived: list[int] = field(default_factory=list)
    invoices: dict[int, Invoice] = field(default_factory=dict)
    milestones: list[int] = field(default_factory=list)
    expenses: dict[int, str] = field(default_factory=dict)
    orders: dict[int, str] = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)
    load: defaultdict[tuple[int, date], float] = field(default_factory=lambda: defaultdict(float))

    def put(self, line: Line) -> None:
        """A line exists, or is back from a late transaction."""
        self.lines[line.id] = line
        self._count(line, line.hours)

    def take(self, line: Line) -> None:
        """A line is gone, or held by a late transaction."""
        del self.lines[line.id]
        self._count(line, -line.hours)

    def _count(self, line: Line, hours: float) -> None:
        self.load[line.employee, line.day] += hours
        if line.project in self.budgets:
            self.budgets[line.project].hours += hours

    def open_projects(self) -> list[int]:
        """The client projects that are not archived."""
        return [project for project in self.budgets if project not in self.archived]
