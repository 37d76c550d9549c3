"""Every threshold, window and owner of the monitors, with its default; as in `streams.core.policy`."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar
from zoneinfo import ZoneInfo

_STRICT = {"extra": "forbid"}


def _check(key: str, value: object, *, holds: bool, wanted: str) -> None:
    if not holds:
        raise ValueError(f"monitors.{key} is {value}; it must be {wanted}")


def _steps(key: str, days: tuple[int, ...], owners: tuple[str, ...]) -> None:
    """Ascending days, each with an owner."""
    holds = bool(days) and days[0] >= 0 and all(low < high for low, high in pairwise(days))
    _check(f"{key}_days", days, holds=holds, wanted="ascending days of 0 or more, at least one")
    _check(f"{key}_owners", owners, holds=len(owners) == len(days), wanted="one owner for each of the days")


@dataclass(frozen=True, slots=True)
class ReceivablesPolicy:
    """Days of credit sales that receivables are held against."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    days: int = 90

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        _check("receivables.days", self.days, holds=1 <= self.days <= 731, wanted="1 to 731 days")


@dataclass(frozen=True, slots=True)
class StaffingPolicy:
    """How far ahead staffing is looked at, and from when on an end is near."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    horizon_days: int = 28
    ends_within_days: int = 14
    certificate_ends_within_days: int = 30
    capacity_above: Decimal = Decimal("1.00")
    owner: str = "people-operations"

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        for name in ("horizon_days", "ends_within_days", "certificate_ends_within_days"):
            days: int = getattr(self, name)
            _check(f"staffing.{name}", days, holds=1 <= days <= 366, wanted="1 to 366 days")
        above = self.capacity_above
        _check("staffing.capacity_above", above, holds=above > 0, wanted="a share above 0")


@dataclass(frozen=True, slots=True)
class BillingPolicy:
    """From which age on unbilled work is told, and to whom."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    bucket_ends: tuple[int, ...] = (30, 60, 90)
    unbilled_days: tuple[int, ...] = (31, 61, 91)
    unbilled_owners: tuple[str, ...] = ("project-manager", "finance-operations", "finance-director")
    blocked_after_days: int = 14
    owner: str = "finance-operations"

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        _steps("billing.unbilled", self.unbilled_days, self.unbilled_owners)
        ends = self.bucket_ends
        holds = bool(ends) and all(end > 0 for end in ends) and all(low < high for low, high in pairwise(ends))
        _check("billing.bucket_ends", ends, holds=holds, wanted="ascending days above 0, at least one")
        after = self.blocked_after_days
        _check("billing.blocked_after_days", after, holds=after >= 0, wanted="0 or more days")

    def bucket(self, age: int) -> str:
        """The bucket of an age, for example 31-60, or 91+."""
        begin = 0
        for end in self.bucket_ends:
            if age <= end:
                return f"{begin}-{end}"
            begin = end + 1
        return f"{begin}+"


@dataclass(frozen=True, slots=True)
class RequestsPolicy:
    """Approvals and change requests: business days to decide where no day was agreed, and those after it at which others are told."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    approval_business_days: int = 2
    change_request_business_days: int = 10
    overdue_days: tuple[int, ...] = (0, 1, 3)
    overdue_owners: tuple[str, ...] = ("approver", "alternate", "operations")

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        _steps("requests.overdue", self.overdue_days, self.overdue_owners)
        for name in ("approval_business_days", "change_request_business_days"):
            days: int = getattr(self, name)
            _check(f"requests.{name}", days, holds=days >= 0, wanted="0 or more days")


@dataclass(frozen=True, slots=True)
class StraightThroughPolicy:
    """Over which days cases count, from how many on a rate says something, and below which it is told."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    window_days: int = 91
    least_cases: int = 10
    rate_below: Decimal = Decimal("0.70")
    clusters: int = 10
    owner: str = "operations"

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        _check(
            "straight_through.window_days", self.window_days, holds=1 <= self.window_days <= 731, wanted="1 to 731 days"
        )
        _check("straight_through.least_cases", self.least_cases, holds=self.least_cases >= 1, wanted="1 or more")
        _check(
            "straight_through.rate_below",
            self.rate_below,
            holds=0 <= self.rate_below <= 1,
            wanted="a share from 0 to 1",
        )
        _check("straight_through.clusters", self.clusters, holds=1 <= self.clusters <= 100, wanted="1 to 100")


@dataclass(frozen=True, slots=True)
class QualityPolicy:
    """What no honest record is, and who mends it."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    future_days: int = 2
    owner: str = "data-operations"

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        _check("quality.future_days", self.future_days, holds=2 <= self.future_days <= 366, wanted="2 to 366 days")


@dataclass(frozen=True, slots=True)
class MonitorsPolicy:
    """The rules of all monitors. A day ends in `timezone` for what names none of its own: requests, and what is counted by process."""

    __pydantic_config__: ClassVar[dict[str, str]] = _STRICT

    timezone: str = "UTC"
    receivables: ReceivablesPolicy = field(default_factory=ReceivablesPolicy)
    staffing: StaffingPolicy = field(default_factory=StaffingPolicy)
    billing: BillingPolicy = field(default_factory=BillingPolicy)
    requests: RequestsPolicy = field(default_factory=RequestsPolicy)
    straight_through: StraightThroughPolicy = field(default_factory=StraightThroughPolicy)
    quality: QualityPolicy = field(default_factory=QualityPolicy)

    def __post_init__(self) -> None:
        """Refuse a time zone that is none."""
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            _check("timezone", self.timezone, holds=False, wanted="the name of an IANA time zone")
