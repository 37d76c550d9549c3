"""The laws of the measures: what is published depends on what happened, not on how often, in which pieces, or where it was heard."""

from __future__ import annotations

import pickle
import random
import re
from decimal import Decimal
from struct import unpack_from
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.topics import Process
from streams.core import Contribution, Measures, consultant_state, project_state, step
from streams.core.contract import EVERYBODY
from streams.core.policy import ClientExposurePolicy, DisputeAgingPolicy, Tier, UtilizationPolicy
from tests.unit.streams.core.world import SECOND, Source, World, day, key, values

START = day("2026-03-02")
DAY = 86_400 * SECOND
POLICY = Measures(
    dispute_aging=DisputeAgingPolicy(tiers=(Tier("gold", 1, 5),)),
    client_exposure=ClientExposurePolicy(limit=Decimal(15_000), tier_limits={"gold": Decimal(5000)}),
)
laws = settings(max_examples=60)
WITHOUT_NUMBER = {
    "billing.blocked",
    "budget_burn.no_budget",
    "data_quality.flaw",
    "dispute_aging.reopened",
    "staffing.bench",
    "staffing.certification",
}
"""Rules whose lines are no number: something is so, or it is not."""

days = st.integers(START - 30, START + 40)
numbers = st.integers(1, 3)
minutes = st.integers(-60, 2000)
shares = st.sampled_from([None, "0.1", "0.333333333", "0.6"])
zones = st.sampled_from(["Europe/Brussels", "Pacific/Auckland", "America/Los_Angeles", "Nowhere/Nothing"])

lines = st.none() | st.fixed_dictionaries(
    {
        "date": days,
        "minutes": minutes,
        "employee_id": st.none() | numbers,
        "project_id": st.none() | numbers,
        "billable": st.booleans(),
        "approved": st.booleans(),
        "leave": st.sampled_from([False, False, False, True]),
        "cost": st.integers(-100, 20_000),
        "currency": st.sampled_from(["EUR", "EUR", "EUR", "USD", None]),
        "order_line_id": st.sampled_from([None, 100, 200]),
        "invoice_id": st.sampled_from([None, None, 7]),
    }
)
absences = st.none() | st.tuples(days, st.integers(0, 5), numbers, st.booleans(), st.none() | st.integers(0, 480)).map(
    lambda drawn: {
        "first_day": drawn[0],
        "last_day": drawn[0] + drawn[1],
        "employee_id": drawn[2],
        "kind": "leave" if drawn[3] else "public_holiday",
        "minutes": drawn[4],
    }
)
disputes = st.none() | st.fixed_dictionaries(
    {
        "opened_on": days,
        "status": st.sampled_from(["open", "awaiting_customer", "escalated", "resolved", "withdrawn"]),
        "closed_on": st.none() | days,
        "amount": st.none() | st.integers(0, 12_000),
    }
)
consultants = st.fixed_dictionaries(
    {
        "weekday_minutes": st.sampled_from([[480] * 5 + [0, 0], [240] * 5 + [0, 0], [0] * 7]),
        "timezone": zones,
        "active": st.sampled_from([True, True, True, False]),
        "manager_id": numbers,
        "employed_from": st.none() | days,
        "hourly_cost": st.none() | st.integers(0, 90),
    }
)
projects = st.fixed_dictionaries(
    {
        "budget_minutes": st.none() | st.integers(0, 10_000),
        "budget_cost": st.none() | st.integers(0, 40_000),
        "active": st.sampled_from([True, True, True, False]),
        "timezone": zones,
        "currency": st.sampled_from(["EUR", "EUR", "EUR", "USD", None]),
    }
)
invoices = st.fixed_dictionaries(
    {
        "residual": st.integers(0, 10_000),
        "partner_id": st.none() | numbers,
        "due_date": st.none() | days,
        "status": st.sampled_from(["draft", "posted", "posted", "cancelled"]),
        "currency": st.sampled_from(["EUR", "USD"]),
        "company_residual": st.integers(1, 9_000),
    }
)
clients = st.fixed_dictionaries({"tier": st.sampled_from([None, "gold", "silver"])})
milestones = st.none() | st.fixed_dictionaries({"share": shares, "reached": st.booleans(), "project_id": numbers})
expenses = st.none() | st.fixed_dictionaries(
    {
        "amount": st.integers(0, 5_000),
        "status": st.sampled_from(["drafted", "approved", "paid", "refused"]),
        "shares": st.lists(st.tuples(st.none() | numbers, st.sampled_from(["0.5", "0.333333333"])), max_size=3),
    }
)
purchases = st.none() | st.fixed_dictionaries(
    {
        "amount": st.integers(0, 9_000),
        "billed_amount": st.integers(0, 9_000),
        "ordered_minutes": st.none() | st.integers(0, 9_000),
        "billed_minutes": st.none() | st.integers(0, 9_000),
        "project_id": st.none() | numbers,
    }
)
assignments = st.none() | st.fixed_dictionaries(
    {
        "status": st.sampled_from(["in_progress", "in_progress", "done", "cancelled"]),
        "employee_id": st.none() | numbers,
        "required_skill_ids": st.lists(numbers, max_size=1),
        "planned_minutes": st.none() | st.integers(0, 20_000),
        "starts_on": st.none() | days,
        "ends_on": st.none() | days,
    }
)
moments = st.integers(START - 30, START + 60).map(lambda number: number * DAY)
approvals = st.none() | st.fixed_dictionaries(
    {
        "status": st.sampled_from(["requested", "requested", "approved", "rejected", "expired"]),
        "requested_at": moments,
        "due_at": st.none() | moments,
        "decided_at": st.none() | moments,
        "delegated_from_id": st.none() | numbers,
    }
)
change_requests = st.none() | st.fixed_dictionaries(
    {"status": st.sampled_from(["raised", "approved", "withdrawn"]), "raised_at": moments, "due_on": st.none() | days}
)
skills = st.none() | st.fixed_dictionaries(
    {"employee_id": numbers, "skill_id": numbers, "valid_from": st.none() | days, "valid_to": st.none() | days}
)
tasks = st.none() | st.fixed_dictionaries(
    {
        "status": st.sampled_from(["in_progress", "done", "cancelled"]),
        "planned_minutes": st.none() | st.integers(-60, 600),
        "project_id": numbers,
    }
)
contracts = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["sent", "confirmed", "confirmed", "cancelled"]),
        "amount": st.sampled_from([None, 0, 900]),
        "company_amount": st.sampled_from([0, 800]),
        "currency": st.sampled_from(["EUR", "EUR", "USD", None]),
        "lines": st.lists(st.tuples(st.none() | numbers, st.integers(0, 9_000), st.just({})), max_size=2),
        "project_id": st.none() | numbers,
    }
)
records = st.one_of(
    st.tuples(st.just("timesheet"), st.integers(1, 6), lines),
    st.tuples(st.just("timesheet"), st.integers(1, 6), lines),
    st.tuples(st.just("absence"), st.integers(1, 3), absences),
    st.tuples(st.just("dispute"), st.integers(1, 2), disputes),
    st.tuples(st.just("helpdesk"), st.integers(1, 2), disputes),
    st.tuples(st.just("consultant"), numbers, consultants),
    st.tuples(st.just("project"), numbers, projects),
    st.tuples(st.just("invoice"), st.integers(1, 2), invoices),
    st.tuples(st.just("client"), numbers, clients),
    st.tuples(st.just("milestone"), st.integers(1, 3), milestones),
    st.tuples(st.just("expense"), st.integers(1, 2), expenses),
    st.tuples(st.just("purchase"), st.integers(1, 2), purchases),
    st.tuples(st.just("assignment"), st.integers(1, 2), assignments),
    st.tuples(st.just("contract"), st.integers(1, 2), contracts),
    st.tuples(st.just("task"), st.integers(1, 2), tasks),
    st.tuples(st.just("approval"), st.integers(1, 2), approvals),
    st.tuples(st.just("change_request"), st.integers(1, 2), change_requests),
    st.tuples(st.just("skill"), st.integers(1, 2), skills),
)
ticks = st.tuples(
    st.just("tick"),
    st.just(0),
    st.integers(-6, 160).map(lambda hours: START * DAY + DAY // 2 + hours * 5 * 3600 * SECOND),
)
histories = st.lists(st.one_of(records, records, records, ticks), min_size=5, max_size=40)
gaps = st.lists(st.integers(0, 3 * DAY), min_size=40, max_size=40)


def masters(source: Source) -> list[tuple[str, Any]]:
    """What has to be known to measure anything."""
    at = START * DAY
    return [
        *(source.consultant(number, at=at) for number in (1, 2, 3)),
        *(source.project(number, at=at) for number in (1, 2, 3)),
        *(source.invoice(number, at=at) for number in (1, 2)),
    ]


def published(source: Source, kind: str, number: int, state: Any, *, at: int) -> tuple[str, Any]:
    """The event of a drawn record."""
    match kind:
        case "tick":
            return source.tick(state)
        case "assignment":
            return source.assignment(number, number, state, at=at)
        case "consultant" | "project" | "invoice" | "contract" | "client":
            event: tuple[str, Any] = getattr(source, kind)(number, at=at, **state)
            return event
        case "helpdesk":
            return source.dispute(number, state, at=at, source="helpdesk")
        case "milestone" | "expense" | "purchase":
            dated: tuple[str, Any] = getattr(source, kind)(number, state)
            return dated
    other: tuple[str, Any] = getattr(source, kind)(number, state, at=at)
    return other


def publish(source: Source, history: list[tuple[str, int, Any]], spans: list[int]) -> list[tuple[str, Any]]:
    out = [*masters(source), source.tick(START * DAY)]
    now = START * DAY
    for (kind, number, state), span in zip(history, spans, strict=False):
        now += span
        out.append(published(source, kind, number, state, at=now))
    return out


firms = st.builds(lambda history, spans: publish(Source(), history, spans), histories, gaps)


def run(events: list[tuple[str, Any]], *, drains: set[int] = frozenset(), suspicious: bool = False) -> World:  # type: ignore[assignment]
    world = World(POLICY, suspicious=suspicious)
    for index, event in enumerate(events):
        world.feed(event)
        if index in drains:
            world.drain()
    return world.drain()


@given(firms, st.sets(st.integers(0, 50)))
@laws
def test_any_split_into_batches_gives_the_same_measures_and_alerts(
    events: list[tuple[str, Any]], drains: set[int]
) -> None:
    whole, cut = run(events), run(events, drains=drains)
    assert cut.alerts == whole.alerts
    assert cut.encoded == whole.encoded


@given(firms, st.integers(0, 60))
@laws
def test_a_prefix_replayed_changes_nothing(events: list[tuple[str, Any]], length: int) -> None:
    once, twice = run(events), run([*events, *events[:length]])
    assert twice.alerts == once.alerts
    assert twice.encoded == once.encoded
    assert twice.rows == once.rows


@given(firms, st.integers(0, 60))
@laws
def test_a_prefix_replayed_in_the_middle_changes_nothing(events: list[tuple[str, Any]], length: int) -> None:
    once, twice = run(events), run([*events[:length], *events[:length], *events[length:]])
    assert twice.alerts == once.alerts
    assert twice.encoded == once.encoded


@given(firms, st.integers(0, 60), st.randoms(use_true_random=False))
@laws
def test_going_on_from_restored_rows_equals_never_having_stopped(
    events: list[tuple[str, Any]], stop: int, shuffle: random.Random
) -> None:
    never = run(events)
    first = World(POLICY)
    first.feed(*events[:stop]).drain()
    second = first.restarted(shuffle)
    second.feed(*events[stop:]).drain()
    assert second.alerts == never.alerts
    assert second.encoded == never.encoded
    assert second.rows == never.rows


@given(firms, st.integers(0, 60))
@laws
def test_going_on_from_a_copy_equals_never_having_stopped(events: list[tuple[str, Any]], stop: int) -> None:
    never = run(events)
    copied = World(POLICY)
    copied.feed(*events[:stop]).drain()
    copied.partitions = pickle.loads(pickle.dumps(copied.partitions, pickle.HIGHEST_PROTOCOL))  # noqa: S301  our own
    copied.feed(*events[stop:]).drain()
    assert copied.alerts == never.alerts
    assert copied.encoded == never.encoded
    assert copied.rows == never.rows


@given(firms, st.randoms(use_true_random=False))
@laws
def test_records_may_come_in_any_order(events: list[tuple[str, Any]], shuffle: random.Random) -> None:
    """Versions of one record, and records among each other; the clock begins afterwards.

    A client hears of an invoice what its versions led to, an invoice of the tiers of clients that it was with, and a project of a
    consultant, so their revisions tell of the way; their values do not. A client that an invoice left is known only where its version
    was heard in time.
    """
    records_only, tick = [event for event in events if event[0] != "ops.clock.v1"], Source.tick((START + 40) * DAY)
    mixed = list(records_only)
    shuffle.shuffle(mixed)
    ordered, shuffled = run([*records_only, tick]), run([*mixed, tick])
    tiers = any(topic == "sales.client.v1" for topic, _ in events)
    for name in ("utilization", "utilization-rollup", *([] if tiers else ["dispute-aging"])):
        mine = {subject: data for (owner, subject), data in ordered.encoded.items() if owner == name}
        assert {subject: data for (owner, subject), data in shuffled.encoded.items() if owner == name} == mine
    known = values(ordered)
    for (name, subject), measured in values(shuffled).items():
        sums = ("disputed_invoices", "disputed_amount", "receivable_amount", "share")
        if name in {"budget-burn", "dispute-aging"}:
            assert measured == known[name, subject]
        if name == "client-exposure":
            assert {field: measured[field] for field in sums} == {field: known[name, subject][field] for field in sums}


@given(firms, st.lists(lines, min_size=1, max_size=4), st.data())
@laws
def test_deleting_a_record_equals_never_having_had_it(
    events: list[tuple[str, Any]], states: list[Any], data: st.DataObject
) -> None:
    source = Source()
    extra = [source.timesheet(99, state, at=START * DAY) for state in (*states, None)]
    records_only, tick = [event for event in events if event[0] != "ops.clock.v1"], Source.tick((START + 40) * DAY)
    mixed = list(records_only)
    place = 0
    for event in extra:
        place = data.draw(st.integers(place, len(mixed)))
        mixed.insert(place, event)
        place += 1
    # a company of which something was flawed once goes on saying that nothing is
    with_it, without = (values(run([*history, tick])) for history in (mixed, records_only))
    calm = {place for place, measured in with_it.items() if measured.get("flawed_records") == 0}
    assert {place: measured for place, measured in with_it.items() if place not in calm - set(without)} == without


one_project = st.lists(
    st.one_of(
        st.tuples(
            st.just("timesheet"),
            st.integers(1, 4),
            st.none()
            | st.fixed_dictionaries(
                {"minutes": st.integers(-20, 500), "cost": st.integers(-20, 500), "employee_id": st.integers(1, 2)}
            ),
        ),
        st.tuples(
            st.just("purchase"),
            st.just(1),
            st.none() | st.fixed_dictionaries({"amount": st.integers(0, 900), "billed_amount": st.integers(0, 300)}),
        ),
        st.tuples(
            st.just("milestone"),
            st.integers(1, 2),
            st.none()
            | st.fixed_dictionaries({"share": st.sampled_from([None, "0.1", "0.4", "0.6"]), "reached": st.booleans()}),
        ),
    ),
    min_size=3,
    max_size=30,
)


@given(one_project, st.sampled_from([None, 600, 1000]), st.sampled_from([None, 500, 1000]))
@settings(max_examples=150)
def test_nothing_is_crossed_on_a_project_where_the_fast_path_sees_nothing(
    history: list[tuple[str, int, Any]], minutes_: int | None, cost: int | None
) -> None:
    source = Source()
    events = [source.project(1, budget_minutes=minutes_, budget_cost=cost), source.tick(START * DAY)]
    events += [getattr(source, kind)(number, state) for kind, number, state in history]
    assert run(events, suspicious=True).alerts == run(events).alerts


@given(firms)
@laws
def test_nothing_is_crossed_where_the_fast_path_sees_nothing(events: list[tuple[str, Any]]) -> None:
    """Judging everything after every entry finds the same alerts as judging only what left its calm range."""
    assert run(events, suspicious=True).alerts == run(events).alerts


@given(st.lists(st.tuples(st.integers(1, 8), lines), max_size=40))
@laws
def test_the_sum_over_consultants_equals_the_sum_over_projects(history: list[tuple[int, Any]]) -> None:
    source = Source()
    world = World(Measures(utilization=UtilizationPolicy(window_days=200, long_window_days=200)))
    world.feed(*masters(source))
    alive: dict[int, int] = {}
    for number, state in history:
        # leave lines burn on their project and are no work of their consultant's: they are left out on both sides
        everybody = state and {**state, "employee_id": state["employee_id"] or 1, "leave": False}
        world.feed(source.timesheet(number, everybody))
        counts = everybody is not None and everybody["project_id"] is not None
        alive[number] = everybody["minutes"] if everybody is not None and counts else 0
    world.feed(source.tick((START + 60) * DAY)).drain()
    consultants_ = sum(world.utilization(number)["worked_minutes"] for number in (1, 2, 3))
    projects_ = sum(world.burn(number)["actual_minutes"] for number in (1, 2, 3))
    assert consultants_ == projects_ == sum(alive.values())


@given(firms)
@laws
def test_every_sum_is_that_of_the_rows(events: list[tuple[str, Any]]) -> None:
    world = run(events)
    for subject in world.partitions["utilization"].subjects.values():
        assert subject.revision == _versions(subject)
        lines = [consultant_state.LINE.unpack_from(row) for row in subject.lines.rows.values()]
        worked = [line for line in lines if line[4] and subject.begin <= line[2] <= subject.as_of]
        assert subject.worked == sum(line[3] for line in worked)
        assert subject.billable == sum(line[3] for line in worked if line[5])
    for subject in world.partitions["budget-burn"].subjects.values():
        assert subject.revision == _versions(subject)
        time = [project_state.LINE.unpack_from(row) for row in subject.lines.rows.values()]
        spent = [row[3] for row in subject.rows.values() if "actual" in row[3] and row[3]["present"]]
        time = [line for line in time if line[7]]
        assert subject.minutes == sum(line[3] for line in time)
        own = "" if subject.head is None or subject.head["currency"] is None else subject.head["currency"]
        foreign = {place for place, name in enumerate(subject._currencies) if own and name not in {"", own}}
        mine = [entry for entry in spent if not own or entry["currency"] in {"", own}]
        paid = sum(line[4] for line in time if line[6] not in foreign)
        assert subject.cost == paid + sum(entry["actual"] for entry in mine)
        assert subject.committed == sum(entry["committed"] for entry in mine)
        odd = [entry for entry in spent if entry not in mine and (entry["actual"] or entry["committed"])]
        assert subject.foreign == sum(line[6] in foreign and line[4] != 0 for line in time) + len(odd)
        assert subject.committed_minutes == sum(entry["committed_minutes"] for entry in spent)


def _versions(subject: Any) -> int:
    lines = sum(unpack_from("<q", row)[0] for row in subject.lines.rows.values())
    return (
        lines
        + sum(row[0] for row in subject.rows.values())
        + sum(h.head.last + h.known for h in subject.histories.values())
    )


@given(firms)
@laws
def test_every_alert_is_raised_once_cleared_only_after_and_explains_itself(events: list[tuple[str, Any]]) -> None:
    world = run(events)
    _explained(world, {event["meta"].get("event_id") for _, event in events})
    said: dict[str, list[tuple[int, str]]] = {}
    for alert in world.alerts:
        current = alert["current"]
        said.setdefault(current["alert_id"], []).append((current["revision"], current["status"]))
    for words in said.values():
        assert [number for number, _ in words] == list(range(1, len(words) + 1))
        (_, first), *rest = words
        assert first == "raised"
        assert all(status == "changed" for _, status in rest[:-1])
        assert not rest or rest[-1][1] in {"changed", "cleared"}
    events_ids = [alert["meta"]["event_id"] for alert in world.alerts]
    assert len(events_ids) == len(set(events_ids))
    versions: dict[str, int] = {}
    for alert in world.alerts:
        voice = f"{alert['current']['rule'].split('.')[0]} {alert['meta']['subject']}"
        assert alert["meta"]["version"] > versions.get(voice, 0)
        versions[voice] = alert["meta"]["version"]


def _explained(world: World, known: set[str]) -> None:
    for alert in world.alerts:
        current = alert["current"]
        assert current["values"]
        assert current["caused_by"]
        assert set(current["caused_by"]) <= known
        assert current["owner"]
        assert current["business_process"] in set(Process)
        assert re.fullmatch(r"[a-z-]+/\d+", current["formula"])
        assert current["rule"] in current["runbook"]  # that it is there, the firm in memory has seen
        assert (current["threshold"] is None) == (current["rule"] in WITHOUT_NUMBER)


@pytest.mark.parametrize(
    "name", [pytest.param(key("hr.employee", 1), id="a measure's id tells its day and its revision")]
)
def test_two_measures_of_a_subject_never_share_an_id(name: str) -> None:
    source, world = Source(), World()
    seen = set()
    world.feed(*masters(source))
    for offset in range(3):
        world.feed(source.tick((START + offset) * DAY + DAY // 2)).drain()
        seen.add(world.encoded["utilization", name])
        world.feed(source.timesheet(1, {"date": START, "minutes": 60 + offset})).drain()
        seen.add(world.encoded["utilization", name])
    assert len(seen) == 6


class Workers(World):
    """As many partitions of every processor as there are workers: each knows its own subjects, and hears what concerns everybody."""

    def __init__(self, policy: Measures, number: int) -> None:
        super().__init__(policy)
        self.workers = [World(policy) for _ in range(number)]

    def apply(self, contribution: Contribution) -> None:
        subject = contribution.subject
        for place, worker in enumerate(self.workers):
            if subject == EVERYBODY or place == crc32(subject.encode()) % len(self.workers):
                self._step(worker, contribution)

    def _step(self, worker: World, contribution: Contribution) -> None:
        name = contribution.processor
        out = step(self.processors[name], worker.partitions[name], contribution.kind, contribution.entry)
        self.alerts += out.alerts
        for derived in out.contributions:
            self.apply(derived)

    def drain(self) -> World:
        for worker in self.workers:
            self.encoded |= worker.drain().encoded
        return self


@given(firms, st.integers(2, 5))
@laws
def test_any_number_of_workers_gives_the_same_measures_and_alerts(events: list[tuple[str, Any]], number: int) -> None:
    """To the byte, but for units: who hears of what at the same tick or at the next one depends on who sits where, so one more tick comes."""
    last = Source.tick((START + 60) * DAY), Source.tick((START + 60) * DAY + 60 * SECOND)
    alone, together = World(POLICY).feed(*events, *last).drain(), Workers(POLICY, number).feed(*events, *last).drain()
    direct = ("utilization", "budget-burn", "dispute-aging", "client-exposure")
    assert {place: data for place, data in together.encoded.items() if place[0] in direct} == {
        place: data for place, data in alone.encoded.items() if place[0] in direct
    }
    assert values(together) == values(alone)
    ids = [{one["current"]["alert_id"] for one in world.alerts} for world in (alone, together)]
    assert ids[0] == ids[1]
