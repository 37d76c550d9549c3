"""Whose turn it is: duties, escalation and freezes as a table of cases, each on the clock's ticks alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from consumers.core.approvals import alert_of
from consumers.core.conditions import When
from consumers.core.freshness import why_not_sent
from consumers.core.governor import Governor
from consumers.core.overrides import Overridable, override
from consumers.core.plan import plan, plan_duty
from consumers.core.policy import Group, Person, Policy, Step
from consumers.core.quiet import Quiet
from consumers.core.targets import Log
from schemas.events import meta
from schemas.topics import topic
from tests.support.governing import HOUR, PROJECT, START, Told, cleared, raised, rule

FOUR = timedelta(hours=4)
CHAIN = {
    "alternates": ("alternate",),
    "service_level": FOUR,
    "escalation": (Step(to="operations", after=8 * HOUR), Step(freeze="invoicing", after=24 * HOUR)),
}
NIGHT = Quiet("Europe/Brussels", "20:00", "07:00")


def test_who_misses_the_service_level_is_followed_by_the_next_until_the_step_is_frozen():
    told = Told(rule(**CHAIN))
    told.governor.alert(raised())

    assert told.at(0) == [("assigned", "owner")]
    assert told.at(3.99) == []
    assert told.at(4) == [("escalated", "alternate")]
    assert told.at(11.9) == []
    assert told.at(12) == [("escalated", "operations")]
    assert told.at(36) == [("escalated", ""), ("frozen", "invoicing")]
    assert told.at(1000) == []


@pytest.mark.parametrize(
    ("hours", "then"),
    [
        pytest.param(2, [("closed", "owner")], id="before anything was missed"),
        pytest.param(5, [("closed", "alternate")], id="while the alternate has it"),
        pytest.param(40, [("closed", ""), ("released", "invoicing")], id="once it was frozen"),
    ],
)
def test_clearing_ends_all_of_it(hours, then):
    told = Told(rule(**CHAIN))
    event = raised()
    told.governor.alert(event)
    for hour in range(hours):
        told.at(hour)

    told.governor.alert(cleared(event))
    assert told.at(hours) == then
    assert told.at(hours + 100) == []
    assert not told.governor.duties
    assert not told.governor.freezes


def test_an_outage_costs_one_step_and_not_the_chain():
    told = Told(rule(**CHAIN))
    told.governor.alert(raised())

    assert told.at(100) == [("assigned", "owner"), ("escalated", "alternate")]  # the owner was told when it was raised
    assert told.at(107.9) == []
    assert told.at(108) == [("escalated", "operations")]


def test_whom_the_governor_tells_has_the_whole_time_from_then_on():
    told = Told(rule(**CHAIN, snooze=HOUR))
    told.governor.alert(raised())

    assert told.at(100) == [("assigned", "owner")]
    assert told.at(103.9) == []
    assert told.at(104) == [("escalated", "alternate")]


def test_nothing_is_decided_before_the_clock_speaks():
    governor = Governor(Policy((rule(**CHAIN),)))
    governor.alert(raised())

    assert governor.decide() == []


def test_a_rule_that_needs_nobody_to_wait_for_makes_no_duty():
    told = Told(rule())
    told.governor.alert(raised())

    assert told.at(1) == []


def test_quiet_hours_hold_the_first_word_and_the_service_level_stands_still():
    told = Told(rule(**CHAIN, quiet=NIGHT))
    told.governor.alert(raised(after=11 * HOUR))  # 21:00 in Brussels

    assert told.at(11) == []
    assert told.at(20.9) == []
    assert told.at(21) == [("assigned", "owner")]  # 07:00
    assert told.at(24.9) == []
    assert told.at(25) == [("escalated", "alternate")]


def test_a_service_level_that_begins_in_the_evening_goes_on_in_the_morning():
    told = Told(rule(**CHAIN, quiet=NIGHT))
    told.governor.alert(raised(after=8 * HOUR))  # 18:00: two hours are left of the day

    assert told.at(8) == [("assigned", "owner")]
    assert told.at(12) == []
    assert told.at(22.9) == []
    assert told.at(23) == [("escalated", "alternate")]


def test_what_is_critical_wakes_people():
    told = Told(rule(**CHAIN, quiet=NIGHT))
    told.governor.alert(raised(after=11 * HOUR, severity="critical"))

    assert told.at(11) == [("assigned", "owner")]
    assert told.at(15) == [("escalated", "alternate")]


def test_what_clears_in_the_night_is_never_told():
    told = Told(rule(quiet=NIGHT))
    event = raised(after=11 * HOUR)
    told.governor.alert(event)
    assert told.at(12) == []

    told.governor.alert(cleared(event))
    assert told.at(30) == []


def test_what_was_told_by_day_and_clears_at_night_is_closed_at_once():
    told = Told(rule(quiet=NIGHT))
    event = raised()
    told.governor.alert(event)
    assert told.at(1) == [("assigned", "owner")]

    told.governor.alert(cleared(event))
    assert told.at(12) == [("closed", "owner")]


def test_a_group_is_told_once_when_its_time_is_over():
    told = Told(rule(group=Group(by=("rule",), wait=HOUR)))
    for number in range(3):
        told.governor.alert(raised(f"{PROJECT}{number}", after=number * HOUR / 4))

    assert told.at(0.9) == []
    assert told.at(1) == [("assigned", "owner")]
    [duty] = told.published
    assert [carried["subject_key"] for carried in duty["current"]["alerts"]] == [f"{PROJECT}{n}" for n in range(3)]


def test_a_full_group_does_not_wait_and_the_next_one_begins():
    told = Told(rule(group=Group(wait=HOUR, most=2)))
    for number in range(3):
        told.governor.alert(raised(f"{PROJECT}{number}"))

    assert told.at(0) == [("assigned", "owner")]
    assert told.at(1) == [("assigned", "owner")]
    assert [len(duty["current"]["alerts"]) for duty in told.published] == [2, 1]


def test_a_group_is_closed_when_the_last_of_it_has_cleared():
    told = Told(rule(group=Group(wait=HOUR)))
    events = [raised(f"{PROJECT}{number}") for number in range(2)]
    for event in events:
        told.governor.alert(event)
    told.at(1)

    told.governor.alert(cleared(events[0]))
    assert told.at(2) == []
    told.governor.alert(cleared(events[1]))
    assert told.at(3) == [("closed", "owner")]


def test_what_the_alerts_of_a_group_have_in_common_tells_them_apart():
    told = Told(rule(group=Group(by=("rule", "company"), wait=HOUR)))
    for number, company in enumerate((1, 2, 1)):
        told.governor.alert(raised(f"{PROJECT}{number}", company_id=company))

    assert told.at(1) == [("assigned", "owner")] * 2


def test_a_snooze_keeps_a_rule_silent_about_a_subject():
    told = Told(rule(snooze=FOUR))
    first, second = raised(), raised(after=HOUR, episode=2)
    told.governor.alert(first)
    assert told.at(0) == [("assigned", "owner")]
    told.governor.alert(cleared(first))
    assert told.at(0.5) == [("closed", "owner")]

    told.governor.alert(second)
    told.governor.alert(raised(PROJECT + "0", after=HOUR))
    assert told.at(1) == [("assigned", "owner")]  # the other subject
    assert told.at(3.9) == []
    assert told.at(4) == [("assigned", "owner")]


def test_what_flaps_while_snoozed_is_told_once():
    told = Told(rule(snooze=FOUR))
    event = raised()
    told.governor.alert(event)
    told.at(0)
    told.governor.alert(cleared(event))
    told.at(0.1)
    for episode in range(2, 6):
        again = raised(after=episode * HOUR / 4, episode=episode)
        told.governor.alert(again)
        assert told.at(episode / 4) == []
        told.governor.alert(cleared(again))

    assert told.at(10) == []


def left(told, employee):
    told.governor.directory.fold(
        "people.consultant.v1",
        f"odoo:firm:hr.employee:{employee}",
        {"current": {"id": employee, "active": False, "department_id": 1, "manager_id": None, "company_id": 1}},
    )


def test_an_owner_who_left_is_passed_over_and_the_reason_says_so():
    told = Told(rule(**CHAIN), people={"owner": Person(1), "alternate": Person(2)})
    left(told, 1)
    told.governor.alert(raised())

    assert told.at(0) == [("assigned", "alternate")]
    assert told.published[0]["current"]["reason"] == "owner has left"
    assert told.at(8) == [("escalated", "operations")]


def test_an_alternate_who_left_is_passed_over():
    told = Told(rule(**CHAIN), people={"alternate": Person(2)})
    left(told, 2)
    told.governor.alert(raised())
    told.at(0)

    assert told.at(8) == [("escalated", "operations")]


def test_who_has_left_and_nobody_follows_is_asked_all_the_same():
    told = Told(rule(quiet=NIGHT), people={"owner": Person(1)})
    left(told, 1)
    told.governor.alert(raised())

    assert told.at(0) == [("assigned", "owner")]


def test_conditions_on_the_subject_are_the_directory_s():
    told = Told(rule(when=When(client_tier="gold")))
    for key, event in (
        ("odoo:firm:res.partner:12", {"id": 12, "tier": "gold", "country": None, "company_id": None}),
        (PROJECT, {"project_type": None, "client_id": 12, "manager_id": None, "company_id": 1}),
    ):
        told.governor.directory.fold(
            "sales.client.v1" if "partner" in key else "delivery.project.v1", key, {"current": event}
        )
    told.governor.alert(raised())
    told.governor.alert(raised(PROJECT + "0"))

    assert told.at(0) == [("assigned", "owner")]


def decided(told, identity, kind, wanted, by="ann"):
    subject = Overridable(identity, kind, "burn", "a", "t", "owner", 0, "firm", 1, "c")
    event = override(subject, wanted, told.governor.policy, reason="because", by=by, at=START)
    told.governor.action(event["current"])
    return event


def test_whoever_acknowledges_stops_the_chain():
    told = Told(rule(**CHAIN))
    event = raised()
    told.governor.alert(event)
    told.at(0)
    [identity] = told.governor.duties

    decided(told, identity, "duty", "acknowledged")
    assert told.at(1000) == []
    told.governor.alert(cleared(event))
    assert told.at(1001) == [("closed", "owner")]


def test_a_person_releases_a_freeze_and_it_does_not_come_back():
    told = Told(rule(**CHAIN))
    told.governor.alert(raised())
    for hour in range(50):
        told.at(hour)
    [identity] = told.governor.freezes

    decided(told, identity, "freeze", "released")
    assert told.at(50) == [("released", "invoicing")]
    assert told.published[-1]["current"]["released_by"] == "ann"
    assert told.at(1000) == []


def test_where_the_policy_asks_for_two_one_person_releases_nothing():
    told = Told(rule(**CHAIN, dual_control=True))
    told.governor.alert(raised())
    for hour in range(50):
        told.at(hour)
    [identity] = told.governor.freezes

    event = decided(told, identity, "freeze", "released")
    forged = {**event["current"], "status": "overridden", "second_needed": False}
    told.governor.action(forged)
    told.governor.action({**forged, "confirmed_by": "ann"})
    assert told.at(50) == []
    told.governor.action({**forged, "confirmed_by": "bob"})
    assert told.at(51) == [("released", "invoicing")]


def request(version, status="requested", **changed):
    current = {
        "reference": "17", "title": "Write off", "category": "Write-off & more", "status": status, "requester_id": 4,
        "approver_id": 5, "alternate_ids": [], "delegated_from_id": None, "subject_key": "odoo:firm:account.move:138",
        "amount": Decimal(400), "currency": "EUR", "requested_at": START, "due_at": None, "decided_at": None,
        "decided_by_id": None, "reason": None, "company_id": 1,
    } | changed  # fmt: skip
    return {
        "meta": meta(
            topic("governance.approval.v1"), "requested", source="n8n", subject="n8n:request:17", version=version,
            occurred_at=START, recorded_at=START, mode="webhook", tenant="firm", company_id=1,
        ),
        "previous": None,
        "current": current,
        "changed": [],
    }  # fmt: skip


APPROVERS = {**CHAIN, "when": When(rule="approval.write-off*", amount_at_least=Decimal(100))}


def test_an_approver_who_misses_the_service_level_is_followed_and_what_waits_is_frozen():
    told = Told(rule(**APPROVERS))
    told.governor.alert(alert_of(request(1)))

    assert told.at(0) == [("assigned", "owner")]
    assert told.at(4) == [("escalated", "alternate")]
    assert told.at(12) == [("escalated", "operations")]
    assert told.at(36) == [("escalated", ""), ("frozen", "invoicing")]
    assert told.published[-1]["current"]["subject_key"] == "odoo:firm:account.move:138"
    told.governor.alert(alert_of(request(2, "approved")))
    assert told.at(37) == [("closed", ""), ("released", "invoicing")]


@pytest.mark.parametrize("status", ["approved", "rejected", "expired", "cancelled"])
def test_every_decision_about_a_request_ends_the_duty(status):
    told = Told(rule(**APPROVERS))
    told.governor.alert(alert_of(request(1)))
    told.at(0)
    told.governor.alert(alert_of(request(2, status)))

    assert told.at(10) == [("closed", "owner")]


def test_a_request_is_not_given_longer_than_it_has():
    told = Told(rule(**APPROVERS))
    told.governor.alert(alert_of(request(1, due_at=START + HOUR)))
    told.at(0)

    assert told.at(1) == [("escalated", "alternate")]


def test_a_delegation_does_not_start_the_clock_again():
    told = Told(rule(**APPROVERS))
    told.governor.alert(alert_of(request(1)))
    told.at(0)
    told.governor.alert(alert_of(request(2, approver_id=9)))

    assert told.at(4) == [("escalated", "alternate")]


def test_a_request_that_is_deleted_is_over():
    told = Told(rule(**APPROVERS))
    told.governor.alert(alert_of(request(1)))
    told.at(0)
    gone = request(2) | {"previous": request(1)["current"], "current": None}
    told.governor.alert(alert_of(gone))

    assert told.at(1) == [("closed", "owner")]
    assert alert_of(gone | {"previous": None}) is None


def test_the_alert_and_the_duty_never_act_both():
    waits = rule(name="waits", quiet=NIGHT)
    at_once = rule(name="at once", **CHAIN)
    told = Told(waits, at_once)
    event = raised()
    told.governor.alert(event)
    told.at(0)
    told.at(4)
    policy = told.governor.policy

    assert [planned.rule for planned in plan(event, policy)] == ["at once"]
    acted = [(planned.rule, duty["current"]["step"]) for duty in told.published for planned in plan_duty(duty, policy)]
    assert sorted(acted) == [("at once", 1), ("waits", 0)]


def test_a_rule_that_waits_from_now_on_does_not_act_again():
    event = raised()
    [at_once] = plan(event, Policy((rule(),)))
    told = Told(rule(quiet=NIGHT))
    told.governor.alert(event)
    told.at(0)
    [later] = plan_duty(told.published[0], told.governor.policy)

    assert (later.action_id, later.thread) == (at_once.action_id, at_once.thread)


def test_closing_reaches_every_step_that_was_taken():
    named = Step(to="operations", after=8 * HOUR, then=(Log(name="pager"),))
    told = Told(rule(**{**CHAIN, "escalation": (named,)}, quiet=Quiet("UTC", "01:00", "02:00")))
    event = raised()
    told.governor.alert(event)
    for hour in (0, 4, 12):
        told.at(hour)
    told.governor.alert(cleared(event))
    told.at(13)
    policy = told.governor.policy
    opened = [planned for duty in told.published[:-1] for planned in plan_duty(duty, policy)]
    closed = plan_duty(told.published[-1], policy)

    assert [planned.target.label for planned in closed] == ["log", "log", "pager"]
    assert [planned.thread for planned in closed] == [planned.thread for planned in opened]
    assert {planned.alert["current"]["status"] for planned in closed} == {"cleared"}
    assert not {planned.action_id for planned in opened} & {planned.action_id for planned in closed}


def test_a_person_reads_who_is_asked_and_why():
    told = Told(rule(**CHAIN, group=Group(wait=HOUR)))
    for number in range(3):
        told.governor.alert(raised(f"{PROJECT}{number}", after=number * HOUR / 9))
    told.at(1)
    told.at(5)
    [planned] = plan_duty(told.published[-1], told.governor.policy)

    values = planned.alert["current"]["values"]
    assert (values["assignee"], values["because"]) == ("alternate", "service level missed")
    assert values["also"] == f"{PROJECT}1, {PROJECT}2"


def test_a_rule_that_is_gone_escalates_no_more_and_still_closes():
    told = Told(rule(**CHAIN))
    event = raised()
    told.governor.alert(event)
    told.at(0)
    told.governor.policy = replace(told.governor.policy, rules=())

    assert told.at(100) == []
    told.governor.alert(cleared(event))
    assert told.at(101) == [("closed", "owner")]
    assert plan_duty(told.published[-1], told.governor.policy) == ()


def test_the_deadline_stands_in_the_duty():
    told = Told(rule(**CHAIN))
    told.governor.alert(raised())
    told.at(0)

    assert told.published[0]["current"]["due_at"] == datetime(2026, 3, 30, 12, tzinfo=UTC)


def test_what_had_to_wait_is_news_when_it_is_told():
    told = Told(rule(quiet=NIGHT))
    event = raised(after=11 * HOUR)
    told.governor.alert(event)
    told.at(21)
    [planned] = plan_duty(told.published[0], told.governor.policy)

    assert planned.alert["meta"]["occurred_at"] == START + 21 * HOUR
    assert why_not_sent(planned.alert, START + 22 * HOUR, oldest=2 * HOUR) is None


def test_an_alert_that_comes_late_or_twice_raises_nothing():
    told = Told(rule(**CHAIN))
    event = raised()
    told.governor.alert(event)
    assert told.at(0) == [("assigned", "owner")]
    told.governor.alert(cleared(event))
    assert told.at(1) == [("closed", "owner")]

    told.governor.alert(event)
    assert told.at(2) == []
