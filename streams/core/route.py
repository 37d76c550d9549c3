"""Which event means what to which processor.

Rules
- An event becomes one entry for each subject it counts for, and a tombstone of the same version for each subject it counted for
  before and no longer does. So a record that moved leaves nothing behind, in whatever order its versions come.
- Events come in wire form (`codec.decode_wire`): days, microseconds, decimals as unscaled bytes.
- What a schema allows and no calendar, counter or key can be is refused here, before a state knows of it.

Invariant: pure; the same event always gives the same contributions, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from schemas.errors import Fatal, PoisonMessage
from schemas.topics import PROCESSORS
from streams.core import kinds
from streams.core.contract import EVERYBODY, Contribution
from streams.core.days import is_moment
from streams.core.monitors.table import READERS
from streams.core.routes import delivery, disputes, money, people, timesheets
from streams.core.routes.difference import BUDGET_BURN, CLIENT_EXPOSURE, UTILIZATION, Means, by_difference
from streams.core.routes.watched import watched

_MOST_VERSIONS = 1 << 53
"""Versions count changes, or microseconds since 1970 where a sender counts none; measures add them up."""


def route(topic: str, event: Any) -> Iterable[Contribution]:
    """What an event of a source topic means.

    Raises `Fatal` for a topic not in `PROCESSOR_SOURCES`, `PoisonMessage` for content that no processor can use.
    """
    try:
        means = _ROUTES[topic]
    except KeyError:
        raise Fatal(f"no processor reads {topic}", remedy="subscribe to PROCESSOR_SOURCES only") from None
    _refuse_impossible(event["meta"])
    return means(event)


def _refuse_impossible(meta: Any) -> None:
    """Raises `PoisonMessage` for an event that cannot have been: it would be remembered, and break what is derived from it."""
    subject: str = meta["subject"]
    if ":" not in subject or not subject.isprintable() or not meta["tenant"].isprintable():
        raise _impossible("the subject", "is no key of an entity")
    if not 0 <= meta["version"] < _MOST_VERSIONS:
        raise _impossible("the version", "counts nothing")
    if not (is_moment(meta["occurred_at"]) and is_moment(meta["recorded_at"])):
        raise _impossible("occurred_at or recorded_at", "is beyond every calendar")


def _impossible(what: str, why: str) -> PoisonMessage:
    return PoisonMessage(f"{what} of the event {why}", remedy="find the producer: no source of ours says such a thing")


def _tick(event: Any) -> Iterator[Contribution]:
    entry = {"at": event["current"]["at"]}
    if not is_moment(entry["at"]):
        raise _impossible("the instant", "is beyond every calendar")
    for processor in PROCESSORS:
        yield Contribution(processor, EVERYBODY, kinds.TICK, entry)


def _with_monitors(topic: str, means: Means | None) -> Means:
    """What an event means to the measures, and what it says to the monitors that read its topic."""
    if means is None:
        return partial(watched, topic)
    return lambda event: chain(means(event), watched(topic, event))


_bills = by_difference(BUDGET_BURN, kinds.COST, money.bill)
_MEASURED: dict[str, Means] = {
    "people.consultant.v1": people.consultant,
    "people.absence.v1": people.absences,
    "delivery.project.v1": delivery.projects,
    "delivery.assignment.v1": by_difference(UTILIZATION, kinds.FACT, delivery.assignment),
    "delivery.task.v1": by_difference(BUDGET_BURN, kinds.FACT, delivery.task),
    "sales.client.v1": by_difference(CLIENT_EXPOSURE, kinds.FACT, money.client),
    "sales.contract.v1": by_difference(BUDGET_BURN, kinds.FACT, money.revenue),
    "delivery.timesheet.v1": timesheets.timesheet,
    "delivery.milestone.v1": by_difference(BUDGET_BURN, kinds.MILESTONE, delivery.milestone),
    "finance.expense.v1": by_difference(BUDGET_BURN, kinds.COST, money.expense),
    "finance.purchase-order.v1": by_difference(BUDGET_BURN, kinds.COST, money.purchase),
    "finance.invoice.v1": lambda event: chain(disputes.invoice(event), _bills(event)),
    "finance.dispute.v1": disputes.dispute,
    "ops.clock.v1": _tick,
}

_ROUTES = {
    **_MEASURED,
    **{name: _with_monitors(name, _MEASURED.get(name)) for name in READERS if name != "delivery.timesheet.v1"},
}

PROCESSOR_SOURCES: tuple[str, ...] = tuple(_ROUTES)
"""The topics that `route` understands: those a router subscribes to."""
