"""A line of time as states take it: the fields of `burnline.internal.TimeEntry` as an object.

Most of what a worker handles is these, several to an event; an object is made, asked and let go for a fraction of what a dictionary
costs. Whoever takes any kind of entry may ask it as the mapping that all others are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, final

from mypy_extensions import mypyc_attr

TIME_ENTRY: Final = "burnline.internal.TimeEntry"
FIELDS: Final = (
    "subject",
    "record",
    "version",
    "present",
    "event_id",
    "recorded_at",
    "day",
    "minutes",
    "billable",
    "approved",
    "cost",
    "employee_id",
    "currency",
)
"""In the order of the schema, and of what `TimeLine` is made with."""


@final
@mypyc_attr(acyclic=True)
class TimeLine:
    """What an event says of a line of time to one subject. Days are counted from 1970, money is in ten-thousandths."""

    __slots__ = FIELDS

    def __init__(  # noqa: PLR0917  as the schema has them: named ones would cost more than all the rest
        self,
        subject: str,
        record: str,
        version: int,
        present: bool,
        event_id: str,
        recorded_at: int,
        day: int,
        minutes: int,
        billable: bool,
        approved: bool,
        cost: int,
        employee_id: int,
        currency: str,
    ) -> None:
        """Say this."""
        self.subject = subject
        self.record = record
        self.version = version
        self.present = present
        self.event_id = event_id
        self.recorded_at = recorded_at
        self.day = day
        self.minutes = minutes
        self.billable = billable
        self.approved = approved
        self.cost = cost
        self.employee_id = employee_id
        self.currency = currency

    def to(self, subject: str) -> TimeLine:
        """The same to another subject."""
        return TimeLine(
            subject,
            self.record,
            self.version,
            self.present,
            self.event_id,
            self.recorded_at,
            self.day,
            self.minutes,
            self.billable,
            self.approved,
            self.cost,
            self.employee_id,
            self.currency,
        )

    def __reduce__(self) -> tuple[type[TimeLine], tuple[Any, ...]]:
        """How it is made again in another process."""
        return TimeLine, tuple([self[name] for name in FIELDS])

    def __getitem__(self, name: str) -> Any:
        """A field, as of a mapping. Raises `KeyError` for what is none."""
        if name not in FIELDS:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""
        return iter(FIELDS)

    def __len__(self) -> int:
        """How many fields there are."""
        return len(FIELDS)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a field."""
        return name in FIELDS

    def keys(self) -> tuple[str, ...]:
        """The names of the fields."""
        return FIELDS

    def get(self, name: str, default: Any = None) -> Any:
        """A field, or else this."""
        return self[name] if name in FIELDS else default

    def __eq__(self, other: object) -> bool:
        """Whether both say the same, the other as an object or as a mapping."""
        if not isinstance(other, (TimeLine, Mapping)):
            return False
        return dict(self) == dict(other)

    def __hash__(self) -> int:
        """By what it is about."""
        return hash((self.subject, self.record, self.version))

    def __repr__(self) -> str:
        """All of it."""
        return f"TimeLine({dict(self)!r})"


Mapping.register(TimeLine)


def is_line(name: str, fields: Iterable[str]) -> bool:
    """Whether a record of this name with these fields, in this order, is a line of time."""
    return name == TIME_ENTRY and tuple(fields) == FIELDS


def line_of(fields: Mapping[str, Any]) -> TimeLine:
    """The line that has these fields. Raises `KeyError` for a missing one, `TypeError` for none at all."""
    return TimeLine(
        fields["subject"],
        fields["record"],
        fields["version"],
        fields["present"],
        fields["event_id"],
        fields["recorded_at"],
        fields["day"],
        fields["minutes"],
        fields["billable"],
        fields["approved"],
        fields["cost"],
        fields["employee_id"],
        fields.get("currency", ""),
    )
