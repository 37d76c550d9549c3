"""Which event means what to which processor."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import codec
from schemas.errors import Fatal, PoisonMessage
from schemas.topics import PROCESSORS, TOPICS
from streams.core import EVERYBODY, PROCESSOR_SOURCES, READS, Contribution, kinds, route
from streams.core.routes.disputes import status_day
from tests.unit.streams.core.world import Source, day, dispute, instant, key

LINE = {"date": 20_000, "minutes": 90, "cost": "12.34"}


def measured(topic: str, event: Any) -> list[Contribution]:
    """What an event means to the measures, without what it says to monitors."""
    return [contribution for contribution in route(topic, event) if contribution.processor != "monitors"]


def means(source: Source, *states: dict[str, Any] | None) -> list[tuple[str, str, bool]]:
    """Processor, subject and presence of what the last state's event contributes."""
    published = [source.timesheet(1, state) for state in states]
    return sorted((c.processor, c.subject, c.entry["present"]) for c in measured(*published[-1]))


EMPLOYEE, PROJECT = key("hr.employee", 1), key("project.project", 1)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param(
            [LINE], [("budget-burn", PROJECT, True), ("utilization", EMPLOYEE, True)], id="a line concerns two keys"
        ),
        pytest.param(
            [LINE | {"leave": True}], [("budget-burn", PROJECT, True)], id="a leave's line burns, and is no work"
        ),
        pytest.param([LINE | {"project_id": None}], [], id="a line without a project is no timesheet"),
        pytest.param(
            [LINE | {"employee_id": None}], [("budget-burn", PROJECT, True)], id="cost without a consultant still burns"
        ),
        pytest.param(
            [LINE, LINE | {"leave": True}],
            [("budget-burn", PROJECT, True), ("utilization", EMPLOYEE, False)],
            id="a line that became leave is work no longer",
        ),
        pytest.param(
            [LINE, LINE | {"project_id": None}],
            [("budget-burn", PROJECT, False), ("utilization", EMPLOYEE, False)],
            id="a line that lost its project no longer counts",
        ),
        pytest.param(
            [LINE, LINE | {"employee_id": 2}],
            [
                ("budget-burn", PROJECT, True),
                ("utilization", EMPLOYEE, False),
                ("utilization", key("hr.employee", 2), True),
            ],
            id="a line moved to another consultant leaves a tombstone with the first",
        ),
        pytest.param(
            [LINE, LINE | {"project_id": 2}],
            [
                ("budget-burn", PROJECT, False),
                ("budget-burn", key("project.project", 2), True),
                ("utilization", EMPLOYEE, True),
            ],
            id="a line moved to another project leaves a tombstone with the first",
        ),
        pytest.param(
            [LINE, None],
            [("budget-burn", PROJECT, False), ("utilization", EMPLOYEE, False)],
            id="a deleted line counts nowhere",
        ),
        pytest.param(
            [LINE | {"leave": True}, None],
            [("budget-burn", PROJECT, False)],
            id="a deleted line leaves tombstones only where it counted",
        ),
    ],
)
def test_timesheets(states: list[Any], expected: list[tuple[str, str, bool]]) -> None:
    assert means(Source(), *states) == expected


def test_every_contribution_fits_its_schema() -> None:
    source = Source()
    published = [
        source.timesheet(1, LINE),
        source.consultant(1),
        source.absence(1, {"first_day": 1, "last_day": 2}),
        source.project(1, budget_cost="99.9999"),
        source.milestone(1, {"share": "0.5"}),
        source.client(1, tier="gold"),
        source.invoice(1),
        source.dispute(1, {"amount": 5}),
        source.expense(1, {"amount": 10}),
        source.purchase(1, {"amount": 10}),
        source.assignment(1, 1, {}),
        source.task(1, {"planned_minutes": 60}),
        source.approval(1, {}),
        source.skill(1, {}),
        source.timesheet(2, {**LINE, "order_line_id": 100}),
        source.change_request(1, {"amount": 5}),
        source.contract(1, amount=10, lines=[(1, 10, {})]),
        source.tick(5),
    ]
    for topic, event in published:
        for contribution in route(topic, event):
            codec.encode_wire(contribution.kind, contribution.entry)
    assert {topic for topic, _ in published} == set(PROCESSOR_SOURCES)
    assert set(PROCESSOR_SOURCES) <= set(TOPICS)


def test_a_tick_is_for_everybody_of_every_processor() -> None:
    out = list(route(*Source.tick(7)))
    assert [(c.processor, c.subject, c.kind, c.entry) for c in out] == [
        (name, EVERYBODY, kinds.TICK, {"at": 7}) for name in PROCESSORS
    ]


@pytest.mark.parametrize(
    ("state", "subject", "approved"),
    [
        pytest.param({}, EMPLOYEE, True, id="approved leave is the consultant's"),
        pytest.param({"status": "requested"}, EMPLOYEE, False, id="requested leave does not count"),
        pytest.param(
            {"kind": "public_holiday", "employee_id": None}, EVERYBODY, True, id="a public holiday is everybody's"
        ),
    ],
)
def test_absences(state: dict[str, Any], subject: str, approved: bool) -> None:
    contribution, *others = route(*Source().absence(1, {"first_day": 1, "last_day": 1, **state}))
    everybodys = [other.processor for other in others if other.subject == EVERYBODY]
    assert everybodys == (["dispute-aging", "monitors"] if subject == EVERYBODY else [])
    assert (contribution.subject, contribution.entry["approved"]) == (subject, approved)


def test_an_expense_is_spread_by_its_shares() -> None:
    source = Source()
    state = {"amount": "100.01", "shares": [(1, "0.5"), (2, "0.25"), (2, "0.125"), (None, "0.125")]}
    out = {c.subject: c.entry["actual"] for c in measured(*source.expense(1, state))}
    assert out == {key("project.project", 1): 500_050, key("project.project", 2): 375_038}
    refused = list(measured(*source.expense(1, {**state, "status": "refused"})))
    assert [c.entry["present"] for c in refused] == [False, False]
    drafted = route(*Source().expense(2, {**state, "status": "drafted"}))
    assert [c for c in drafted if c.processor == "budget-burn"] == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(
            {"amount": 100, "billed_amount": 30}, [(300_000, 700_000)], id="billed is actual, the rest is committed"
        ),
        pytest.param(
            {"amount": 100, "billed_amount": 120}, [(1_200_000, 0)], id="billed beyond the order commits nothing more"
        ),
        pytest.param(
            {"amount": 100, "billed_amount": 90, "invoiced": True},
            [(900_000, 0)],
            id="fully billed commits nothing more",
        ),
        pytest.param({"amount": 100, "status": "requested"}, [], id="only confirmed orders commit"),
        pytest.param({"amount": 100, "project_id": None}, [], id="an order for no project burns no budget"),
    ],
)
def test_purchases(state: dict[str, Any], expected: list[tuple[int, int]]) -> None:
    out = measured(*Source().purchase(1, state))
    assert [(c.entry["actual"], c.entry["committed"]) for c in out] == expected


@pytest.mark.parametrize(
    ("state", "minutes"),
    [
        pytest.param({}, 0, id="goods commit no time"),
        pytest.param({"ordered_minutes": 600, "billed_minutes": 200}, 400, id="what is not billed"),
        pytest.param({"ordered_minutes": 600, "billed_minutes": 700}, 0, id="billed beyond the order"),
        pytest.param({"ordered_minutes": 600, "invoiced": True}, 0, id="fully billed, whatever the lines say"),
        pytest.param({"ordered_minutes": 2**62}, 1 << 40, id="no order is that long"),
    ],
)
def test_time_that_is_ordered(state: dict[str, Any], minutes: int) -> None:
    (out,) = measured(*Source().purchase(1, state))
    assert out.entry["committed_minutes"] == minutes


def test_only_customer_invoices_are_aged() -> None:
    def aged(**fields: Any) -> list[int]:
        routed = route(*Source().invoice(1, at=instant("2026-03-01T23:30:00"), **fields))
        return [c.entry["from_day"] for c in routed if c.processor == "dispute-aging"]

    assert aged() == [day("2026-03-02")]
    assert aged(move_type="out_refund") == []


def test_each_source_of_a_dispute_is_a_record_of_its_own() -> None:
    source = Source()
    odoo = list(measured(*source.dispute(5, {})))
    helpdesk = list(
        measured(*source.publish("finance.dispute.v1", "helpdesk:ticket:77", dispute(5), source="helpdesk"))
    )
    assert {c.subject for c in odoo + helpdesk} == {key("account.move", 5)}
    assert len({c.entry["record"] for c in odoo + helpdesk}) == 2


def test_content_no_processor_can_use_is_poison() -> None:
    with pytest.raises(PoisonMessage, match="consultant 1 has 5 weekdays"):
        list(route(*Source().consultant(1, weekday_minutes=[480] * 5)))


def test_a_topic_without_a_meaning_stops_the_router() -> None:
    with pytest.raises(Fatal, match=r"sales\.opportunity"):
        route("sales.opportunity.v1", {})


@pytest.mark.parametrize(
    ("verb", "status", "expected"),
    [
        pytest.param("opened", "open", 5, id="an opening began on the day it names"),
        pytest.param("updated", "open", 9, id="a helpdesk's return to open began when it was said"),
        pytest.param("reopened", "open", 9, id="a reopening began when it was said"),
        pytest.param("updated", "awaiting_customer", 9, id="waiting began when it was said"),
    ],
)
def test_the_day_a_helpdesk_s_status_began(verb: str, status: str, expected: int) -> None:
    told = {"status": status, "opened_on": 5, "closed_on": None}
    assert status_day(told, None, 9, verb) == expected


@pytest.mark.parametrize(
    "states",
    [
        pytest.param([LINE], id="a line as most are"),
        pytest.param([LINE | {"order_line_id": 5}, LINE | {"employee_id": 2}], id="sold, then moved"),
        pytest.param([LINE | {"minutes": -5, "company_id": 2}, None], id="flawed, then gone"),
    ],
)
def test_what_is_decoded_of_a_line_is_all_that_routing_reads(states: list[Any]) -> None:
    source = Source()
    for state in states:
        topic, event = source.timesheet(1, state)
        data = codec.encode_wire(TOPICS[topic].record, event)
        part = codec.decoder(READS[topic])(data)[1]
        assert list(route(topic, part)) == list(route(topic, event))
