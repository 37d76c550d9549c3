"""Every threshold, window, band and owner of the measures, with its default.

Plain frozen dataclasses, so that the core needs no library; settings fill them. A value out of its range raises `ValueError`
that names the key. Shares are fractions (0.75 is 75 %), levels are percent, ages are days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

from streams.core.monitors.policy import MonitorsPolicy


def _check(key: str, value: object, *, holds: bool, wanted: str) -> None:
    if not holds:
        raise ValueError(f"{key} is {value}; it must be {wanted}")


def _ascending(values: tuple[int, ...]) -> bool:
    return all(value > 0 for value in values) and all(low < high for low, high in pairwise(values))


@dataclass(frozen=True, slots=True)
class UtilizationPolicy:
    """Windows, target and bands of a consultant's utilization."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    window_days: int = 28
    long_window_days: int = 91
    target: Decimal = Decimal("0.75")
    bench_below: Decimal = Decimal("0.50")
    under_target_by: Decimal = Decimal("0.10")
    hot_above: Decimal = Decimal("1.00")
    overloaded_above: Decimal = Decimal("1.15")
    hysteresis: Decimal = Decimal("0.02")
    owner: str = "people-operations"
    compliance_below: Decimal = Decimal("0.90")
    week_closes_hour: int = 12
    escalation_working_days: tuple[int, ...] = (0, 1, 3)
    escalation_owners: tuple[str, ...] = ("consultant", "line-manager", "people-operations")

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        key = "utilization."
        _check(f"{key}window_days", self.window_days, holds=1 <= self.window_days <= 366, wanted="1 to 366 days")
        long = self.long_window_days
        _check(f"{key}long_window_days", long, holds=self.window_days <= long <= 731, wanted="window_days to 731 days")
        _check(f"{key}target", self.target, holds=0 < self.target <= 2, wanted="a share above 0, at most 2")
        _check(f"{key}hysteresis", self.hysteresis, holds=0 <= self.hysteresis < 1, wanted="a share from 0 to below 1")
        edges = (self.bench_below, self.target - self.under_target_by, self.hot_above, self.overloaded_above)
        ordered = self.bench_below > 0 and all(low < high for low, high in pairwise(edges))
        wanted = "above 0 and ascending: bench_below, target - under_target_by, hot_above, overloaded_above"
        _check(f"{key}bench_below", ", ".join(map(str, edges)), holds=ordered, wanted=wanted)
        share = self.compliance_below
        _check(f"{key}compliance_below", share, holds=0 <= share <= 1, wanted="a share from 0 to 1")
        hour = self.week_closes_hour
        _check(f"{key}week_closes_hour", hour, holds=0 <= hour <= 23, wanted="an hour from 0 to 23")
        steps = self.escalation_working_days
        holds = bool(steps) and steps[0] >= 0 and all(low < high for low, high in pairwise(steps)) and steps[-1] <= 4
        _check(f"{key}escalation_working_days", steps, holds=holds, wanted="ascending working days from 0 to 4")
        owners = self.escalation_owners
        holds = len(owners) == len(steps) == len(set(owners))
        _check(f"{key}escalation_owners", owners, holds=holds, wanted="one owner for each step, none twice")


@dataclass(frozen=True, slots=True)
class BudgetBurnPolicy:
    """Levels of burn and the forecast's lines. A ladder ends at `highest_level`: beyond it a budget means nothing any more."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    levels: tuple[int, ...] = (50, 75, 90, 100)
    further_levels_every: int = 10
    highest_level: int = 1000
    hysteresis_points: int = 2
    rate_weeks: int = 4
    forecast_above: Decimal = Decimal("1.00")
    forecast_while_burn_below: Decimal = Decimal("0.90")
    margin_target: Decimal = Decimal("0.30")
    margin_below_target_by: Decimal = Decimal("0.10")
    owner: str = "delivery-operations"

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        key = "budget_burn."
        holds = bool(self.levels) and _ascending(self.levels)
        _check(f"{key}levels", self.levels, holds=holds, wanted="ascending percentages above 0, at least one")
        step = self.further_levels_every
        _check(f"{key}further_levels_every", step, holds=step >= 1, wanted="at least 1 point")
        top = self.highest_level
        _check(f"{key}highest_level", top, holds=self.levels[-1] <= top <= 10_000, wanted="the last level to 10000")
        points = self.hysteresis_points
        holds = 0 <= points < self.levels[0]
        _check(f"{key}hysteresis_points", points, holds=holds, wanted="0 or more, and below the first level")
        _check(f"{key}rate_weeks", self.rate_weeks, holds=1 <= self.rate_weeks <= 52, wanted="1 to 52 weeks")
        _check(f"{key}forecast_above", self.forecast_above, holds=self.forecast_above > 0, wanted="a share above 0")
        below, target = self.forecast_while_burn_below, self.margin_target
        _check(f"{key}margin_target", target, holds=-1 < target < 1, wanted="a share between -1 and 1")
        by = self.margin_below_target_by
        _check(f"{key}margin_below_target_by", by, holds=by >= 0, wanted="a share of 0 or more")
        _check(f"{key}forecast_while_burn_below", below, holds=below > 0, wanted="a share above 0")

    @property
    def all_levels(self) -> tuple[int, ...]:
        """The named levels, and the further ones up to the highest."""
        last = self.levels[-1]
        return (
            *self.levels,
            *range(last + self.further_levels_every, self.highest_level + 1, self.further_levels_every),
        )


@dataclass(frozen=True, slots=True)
class Tier:
    """Service levels of their own for clients of a tier: those that Odoo says are in it, by name, and those that are named here."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    name: str
    first_response_business_days: int
    resolution_days: int
    clients: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DisputeAgingPolicy:
    """Buckets, the reopening window and the service levels of disputes."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    bucket_ends: tuple[int, ...] = (30, 60, 90, 120)
    bucket_owners: tuple[str, ...] = ("account-manager", "finance-manager", "finance-director", "finance-director")
    reopening_window_days: int = 30
    first_response_business_days: int = 2
    resolution_days: int = 30
    owner: str = "finance-operations"
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        key = "dispute_aging."
        holds = bool(self.bucket_ends) and _ascending(self.bucket_ends)
        _check(f"{key}bucket_ends", self.bucket_ends, holds=holds, wanted="ascending days above 0, at least one")
        owners = self.bucket_owners
        holds = len(owners) == len(self.bucket_ends)
        _check(f"{key}bucket_owners", owners, holds=holds, wanted="one owner for each of bucket_ends")
        for name in ("reopening_window_days", "first_response_business_days", "resolution_days"):
            days: int = getattr(self, name)
            _check(f"{key}{name}", days, holds=days >= 0, wanted="0 or more days")
        for tier in self.tiers:
            least = min(tier.first_response_business_days, tier.resolution_days)
            _check(f"{key}tiers.{tier.name}", least, holds=least >= 0, wanted="0 or more days")
        clients = [client for tier in self.tiers for client in tier.clients]
        holds = len(clients) == len(set(clients))
        _check(f"{key}tiers", clients, holds=holds, wanted="each client in one tier")
        names = [tier.name.casefold() for tier in self.tiers]
        _check(
            f"{key}tiers",
            names,
            holds=all(names) and len(names) == len(set(names)),
            wanted="tiers with names of their own",
        )

    def service(self, client: int | None, named: str | None = None) -> tuple[int, int]:
        """First response in business days and resolution in days, for a client in the tier that Odoo names.

        A tier that lists the client goes before its name, letters and case aside; without either it is the usual.
        """
        listed = [tier for tier in self.tiers if client in tier.clients]
        for tier in listed or [tier for tier in self.tiers if tier.name.casefold() == (named or "").casefold()]:
            return tier.first_response_business_days, tier.resolution_days
        return self.first_response_business_days, self.resolution_days

    def bucket(self, days: int) -> str:
        """The bucket of an age, for example 31-60, or 121+."""
        begin = 0
        for end in self.bucket_ends:
            if days <= end:
                return f"{begin}-{end}"
            begin = end + 1
        return f"{begin}+"


@dataclass(frozen=True, slots=True)
class ClientExposurePolicy:
    """The limit of what one client may contest, in the company's currency: by client, else by tier, else `limit`. Without one, no alert."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    limit: Decimal | None = None
    limits: dict[int, Decimal] = field(default_factory=dict)
    tier_limits: dict[str, Decimal] = field(default_factory=dict)
    hysteresis: Decimal = Decimal("0.02")
    owner: str = "finance-operations"

    def __post_init__(self) -> None:
        """Refuse what cannot be measured with."""
        key = "client_exposure."
        _check(f"{key}limit", self.limit, holds=self.limit is None or self.limit >= 0, wanted="0 or more, or unset")
        for name, limits in (("limits", self.limits), ("tier_limits", self.tier_limits)):
            for whom, limit in limits.items():
                _check(f"{key}{name}.{whom}", limit, holds=limit >= 0, wanted="0 or more")
        names = [name.casefold() for name in self.tier_limits]
        _check(
            f"{key}tier_limits", names, holds=len(names) == len(set(names)), wanted="each tier once, whatever the case"
        )
        _check(f"{key}hysteresis", self.hysteresis, holds=0 <= self.hysteresis < 1, wanted="a share from 0 to below 1")

    def limit_of(self, client: int, tier: str | None) -> Decimal | None:
        """The limit of a client in a tier."""
        of_tier = {name.casefold(): limit for name, limit in self.tier_limits.items()}.get((tier or "").casefold())
        return self.limits.get(client, self.limit if of_tier is None else of_tier)


@dataclass(frozen=True, slots=True)
class Measures:
    """The rules of all measures. `later` ones come into force on their days, in order, in place of all that stood before."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    utilization: UtilizationPolicy = field(default_factory=UtilizationPolicy)
    budget_burn: BudgetBurnPolicy = field(default_factory=BudgetBurnPolicy)
    dispute_aging: DisputeAgingPolicy = field(default_factory=DisputeAgingPolicy)
    client_exposure: ClientExposurePolicy = field(default_factory=ClientExposurePolicy)
    monitors: MonitorsPolicy = field(default_factory=MonitorsPolicy)
    later: tuple[Era, ...] = ()

    def __post_init__(self) -> None:
        """Refuse changes that nobody could put in order."""
        begins = [era.begins for era in self.later]
        holds = all(one < next_ for one, next_ in pairwise(begins))
        _check("later", ", ".join(map(str, begins)), holds=holds, wanted="in the order of their days, each day once")
        nested = [era.begins for era in self.later if era.rules.later]
        _check("later", nested, holds=not nested, wanted="one list, without further changes inside")
        longest = {rules.utilization.week_closes_hour for rules in (self, *(era.rules for era in self.later))}
        _check("utilization.week_closes_hour", longest, holds=len(longest) == 1, wanted="the same at all times")


@dataclass(frozen=True, slots=True)
class Era:
    """Rules that are in force from a day on."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    begins: date
    rules: Measures
