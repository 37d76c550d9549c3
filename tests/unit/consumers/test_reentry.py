"""The way back of a letter, or why there is none; and what a record is about when order is at stake."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from burnline.docs.samples import encoded, sample
from consumers.core.letter_queue import Decision, Letter
from consumers.core.reentry import Refusal, Way, entity_of, hint_for, record_of, way_of
from infra.dead_letters import parked
from infra.errors import PoisonMessage
from schemas import codec, contents
from schemas.events import refuse_contradiction
from schemas.topics import topic

AT = datetime(2026, 3, 30, 8, tzinfo=UTC)


def letter(name: str, offset: int, stage: str, key: bytes = b"odoo:firm:hr.employee:7", **error: Any) -> Letter:
    made = parked(
        name, 0, offset, key=key, value=b"v", headers=None, error=PoisonMessage("x", **error), stage=stage, at=AT
    )
    return Letter(made["meta"]["event_id"], made)


def about_an_action(one: Letter) -> Letter:
    one.event["current"]["action_id"] = one.identity
    return one


def decided(one: Letter) -> Letter:
    one.open = False
    one.decisions.append(Decision("retried", AT, "ada", "x"))
    return one


@pytest.mark.parametrize(
    ("one", "way"),
    [
        pytest.param(letter("delivery.timesheet.v1", 4, "streams.decode"), Way.RECORD, id="a record that the streams could not read"),
        pytest.param(letter("internal.utilization-input.v1", 4, "streams.utilization"), Way.RECORD, id="a frame of their input"),
        pytest.param(letter("governance.alert.v1", 4, "actions"), Way.RECORD, id="an alert that nobody could read"),
        pytest.param(letter("people.consultant.v1", -1, "capture.map"), Way.HINT, id="a row of Odoo is read again"),
        pytest.param(letter("people.consultant.v1", 4, "capture.images"), Way.HINT, id="so is one whose event nobody can read"),
        pytest.param(letter("/webhooks/helpdesk", -1, "webhooks", b"helpdesk:delivery:1"), Way.POST, id="a refused delivery"),
        pytest.param(about_an_action(letter("governance.alert.v1", 4, "actions", reason="abandoned")), Way.ACTION, id="an action that was given up"),
        pytest.param(letter("governance.alert.v1", 4, "actions", reason="abandoned"), Way.ACTION, id="so it is with a letter of an older release, which does not name it"),
        pytest.param(letter("elsewhere", -1, "somewhere", b"k"), "no way back", id="of nowhere we know"),
        pytest.param(letter("no.such.v1", 4, "streams.decode", b"k"), "no way back", id="of a topic that is gone"),
        pytest.param(decided(letter("delivery.timesheet.v1", 4, "streams.decode")), "already", id="what was decided"),
    ],
)  # fmt: skip
def test_the_way_back(one, way):
    found = way_of(one)
    if isinstance(way, Way):
        assert found is way
    else:
        assert isinstance(found, Refusal)
        assert way in found.why
        assert found.remedy


def test_the_hint_is_one_that_capture_takes():
    one = letter("people.consultant.v1", -1, "capture.map")
    event = hint_for(one, AT)
    data = codec.encode("burnline.ops.WebhookDeliveryEvent", event)
    read = contents.read("ops.webhook.v1", data)
    refuse_contradiction(None, read["meta"])
    assert (read["meta"]["subject"], read["current"]["model"], read["current"]["record_id"]) == (
        "odoo:firm:hr.employee:7",
        "hr.employee",
        7,
    )
    assert read["meta"]["causation_id"] == one.event["meta"]["event_id"]


@pytest.mark.parametrize(
    ("key", "found"),
    [
        pytest.param(b"odoo:firm:hr.employee:7", ("firm", "hr.employee", 7), id="an employee"),
        pytest.param(b"odoo:firm:hr.employee:new", None, id="no number"),
        pytest.param(b"helpdesk:ticket:7", None, id="not of Odoo"),
    ],
)
def test_the_record_of_odoo_that_a_letter_is_about(key, found):
    assert record_of(letter("people.consultant.v1", -1, "capture.map", key).event) == found


ALERT = sample(topic("governance.alert.v1"))


@pytest.mark.parametrize(
    ("name", "key", "value", "entity"),
    [
        pytest.param("delivery.timesheet.v1", b"k", b"rubbish", (b"k", ""), id="the key says it, whatever the value"),
        pytest.param("governance.alert.v1", b"k", encoded(topic("governance.alert.v1")), (b"k", ALERT["current"]["alert_id"]), id="of an alert the alert: a subject has many"),
        pytest.param("governance.alert.v1", b"k", b"rubbish", (b"k", ""), id="an alert that nobody can read"),
        pytest.param("delivery.timesheet.v1", None, b"v", None, id="without a key there is no order"),
        pytest.param("internal.utilization-input.v1", b"k", b"v", None, id="rows are guarded by versions"),
    ],
)  # fmt: skip
def test_what_a_record_is_about(name, key, value, entity):
    assert entity_of(name, key, value) == entity
