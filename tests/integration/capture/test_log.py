"""The log of Odoo's database instead of polls: the same events, field by field; deletions at once; and polls again while the connector is silent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from confluent_kafka.admin import NewTopic

from burnline.readiness import history_is_loaded
from infra.embedded_kafka import EmbeddedKafka
from infra.embedded_odoo import EmbeddedOdoo
from infra.errors import Fatal
from infra.kafka.clients import admin, producer
from infra.kafka.reader import partitions_of
from infra.settings import KafkaSettings, Settings
from producers.capture import standing
from producers.capture.survey import readable_models
from producers.core.log import connector
from producers.core.mapping import mappings
from producers.core.policy import CapturePolicy
from tests.conftest import RealOdoo
from tests.integration.capture.conftest import Client, Running, Subscriber, alone_with, make_settings, verbs
from tests.support.connect import Connect
from tests.support.drill import topics_made, until

SETTLED = 1.0
"""Seconds without an event, after which nothing more is expected of a step."""


@contextmanager
def debezium(odoo: RealOdoo, bootstrap: str, topic: str) -> Iterator[Connect]:
    """The connector as `burnline odoo log-connector` writes it; its slot and publication are dropped in the end."""
    at = urlsplit(odoo.pg_dsn)
    settings = connector(
        mappings(CapturePolicy()), topic=topic, database=odoo.db, host=at.hostname or "", port=at.port or 0
    )
    environment = {"ODOO_LOG_USER": at.username or "", "ODOO_LOG_PASSWORD": "none is asked for"}
    try:
        with Connect(bootstrap, settings | {"heartbeat.interval.ms": "500"}, environment) as connect:
            yield connect
    finally:
        name = settings["slot.name"]
        odoo.sql(f"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{name}'")  # noqa: S608  our own name
        odoo.sql(f"drop publication if exists {name}")


class Both:
    """A capture that polls and one that follows the log, of one Odoo, each on a broker of its own."""

    def __init__(self, polled: Subscriber, logged: Subscriber) -> None:
        self.polled, self.logged = polled, logged
        self._before: list[tuple[tuple[str, str], int]] = []

    def _counts(self) -> list[list[tuple[tuple[str, str], int]]]:
        """How many events each has told of each record."""
        both = (self.polled.events, self.logged.events)
        return [sorted((place, len(found)) for place, found in events.items() if found) for events in both]

    def settle(self) -> None:
        """Return once both have told of something new, of the same records as often, and then of nothing for a while."""
        end, quiet, last = time.monotonic() + 120, time.monotonic(), self._counts()
        while True:
            for one in (self.polled, self.logged):
                one.check()
                one.poll(0.1)
            now, counts = time.monotonic(), self._counts()
            if counts != last:
                last, quiet = counts, now
            if counts[0] == counts[1] != self._before and now - quiet > SETTLED:
                self._before = counts[0]
                return
            assert now < end, {
                place for one in counts for place in one if place not in counts[0] or place not in counts[1]
            }

    def forget(self) -> None:
        self.polled.events.clear()
        self.logged.events.clear()
        self._before = []


def told(subscriber: Subscriber) -> dict[tuple[str, str], list[Any]]:
    """Every event by topic and key, without how it was found.

    Of a deletion Odoo keeps no time: its times are when it was noticed, so they are left out, too.
    """
    noticed = ("mode", "occurred_at", "recorded_at")
    found = {}
    for place, events in subscriber.events.items():
        found[place] = [
            {**event, "meta": {**event["meta"], **dict.fromkeys(noticed if event["current"] is None else ("mode",))}}
            for event in events
        ]
    return found


def work(odoo: Client, unique: str, settle: Callable[[], None]) -> None:
    """What people do in a firm. Between two pauses no record is written twice: of two changes in one breath a capture may see the last alone."""
    project = odoo("project.project", "create", {"name": unique, "allow_timesheets": True, "allow_milestones": True})
    employee = odoo("hr.employee", "create", {"name": unique, "hourly_cost": 50.0})
    partner = odoo("res.partner", "create", {"name": unique, "is_company": True})
    settle()
    values = {"name": "work", "project_id": project, "employee_id": employee, "date": "2026-03-05"}
    lines = odoo("account.analytic.line", "create", [values | {"unit_amount": 0.5 + n} for n in range(20)])
    charged = [(0, 0, {"name": "work", "quantity": 2, "price_unit": 500.0})]
    invoice = {"move_type": "out_invoice", "partner_id": partner, "invoice_date": "2026-10-01"}
    move = odoo("account.move", "create", invoice | {"invoice_line_ids": charged})
    milestone = odoo("project.milestone", "create", {"name": unique, "project_id": project})
    settle()
    odoo("account.analytic.line", "write", lines[:10], {"unit_amount": 3.25})
    odoo("account.analytic.line", "write", lines[10:], {"name": "nothing that is told", "unit_amount": 7.6})
    odoo("account.move", "action_post", [move])
    odoo("project.milestone", "write", [milestone], {"is_reached": True})
    settle()
    (product,) = odoo("product.product", "create", [{"name": unique, "type": "service"}])
    bought = [(0, 0, {"product_id": product, "product_qty": 3, "price_unit": 40.0})]
    order = odoo("purchase.order", "create", {"partner_id": partner, "project_id": project, "order_line": bought})
    odoo("account.move", "action_toggle_block_payment", [move])
    odoo("account.analytic.line", "unlink", lines[5:8])
    settle()
    (line,) = odoo("purchase.order.line", "search", [("order_id", "=", order)])
    odoo("purchase.order.line", "write", [line], {"price_unit": 45.0})
    odoo("account.move", "action_toggle_block_payment", [move])
    odoo("project.milestone", "unlink", [milestone])
    settle()
    odoo("purchase.order", "button_confirm", [order])
    odoo("project.project", "write", [project], {"active": False})
    settle()


@pytest.mark.timeout(600)
@pytest.mark.alone
@pytest.mark.odoo
def test_the_log_tells_the_same_events_as_polls_field_by_field(  # noqa: PLR0917  fixtures
    real_odoo: RealOdoo,
    kafka: KafkaSettings,
    tmp_path: Path,
    begin: Callable[..., Running],
    subscriber_of: Callable[[KafkaSettings], Subscriber],
    unique: str,
) -> None:
    topic = f"odoo-log-{uuid4().hex[:8]}"
    with alone_with(real_odoo.db), EmbeddedKafka(tmp_path / "kafka") as broker:
        other = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        until(lambda: topics_made(other), "the topics have leaders", timeout=120)
        with debezium(real_odoo, broker.bootstrap_servers, topic) as connect:
            until(lambda: partitions_of(other, topic), "the connector makes its topic", timeout=90)
            both = Both(subscriber_of(kafka), subscriber_of(other))
            settings = [
                make_settings(real_odoo, kafka),
                # deletions are not left to a sweep, and a pass would come too late
                make_settings(real_odoo, other, log_topic=topic, sweep_interval=3600.0, log_silence=60.0),
            ]
            running = [begin(one) for one in settings]
            both.polled.check, both.logged.check = (one.check for one in running)
            try:
                for one in settings:
                    models = readable_models(one, {})
                    until(
                        partial(history_is_loaded, one.kafka, real_odoo.db, models),
                        "the snapshot is complete",
                        timeout=240,
                    )
                _compare(both, Client(real_odoo, "real"), connect, unique)
                running[1].end()
                patient = make_settings(real_odoo, other, log_topic=topic, sweep_interval=3600.0, log_silence=3.0)
                running[1] = begin(patient)
                both.logged.check = running[1].check
                _lose_the_slot(both, Client(real_odoo, "real"), connect, patient, unique)
            finally:
                for one in running:  # before the broker goes
                    one.end()


def _compare(both: Both, odoo: Client, connect: Connect, unique: str) -> None:
    marker = _marked(odoo, both)
    both.forget()
    work(odoo, unique, both.settle)
    assert {event["meta"]["mode"] for events in both.logged.events.values() for event in events} == {"log"}
    assert told(both.logged) == told(both.polled)
    assert {place[0] for place in both.logged.events} >= {
        "delivery.project.v1", "people.consultant.v1", "delivery.timesheet.v1", "sales.client.v1", "finance.invoice.v1",
        "finance.dispute.v1", "delivery.milestone.v1", "finance.purchase-order.v1",
    }  # fmt: skip

    connect.stop()  # its slot keeps what happens meanwhile
    odoo("res.partner", "write", [marker], {"name": f"{unique} while the connector is down"})
    connect.start()
    both.settle()
    odoo("res.partner", "unlink", [marker])
    both.settle()
    assert told(both.logged) == told(both.polled)


def _lose_the_slot(both: Both, odoo: Client, connect: Connect, settings: Settings, unique: str) -> None:
    """Dropped for real: the connector fails, the capture says so and polls, and what nothing stamps is found once the connector has begun anew."""
    kept, doomed = odoo("res.partner", "create", [{"name": f"{unique} {n}", "is_company": True} for n in range(2)])
    topic, key, gone = "sales.client.v1", *(f"odoo:{odoo.db}:res.partner:{one}" for one in (kept, doomed))
    both.settle()

    def mode(name: str) -> str:
        """How a change is found by the capture that follows the log."""
        known = [len(one.events[topic, key]) for one in (both.polled, both.logged)]
        odoo("res.partner", "write", [kept], {"name": f"{unique} {name}"})
        for one, before in zip((both.polled, both.logged), known, strict=True):
            one.until(topic, key, lambda events, before=before: len(events) > before)  # type: ignore[misc]
        return str(both.logged.events[topic, key][-1]["meta"]["mode"])

    until(lambda: mode(f"followed {time.monotonic()}") == "log", "the log is followed", timeout=120)
    connect.stop()
    (slot,) = odoo.odoo.sql("select slot_name from pg_replication_slots where slot_name like 'burnline_%'")[0]
    dropped = f"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{slot}' and not active"  # noqa: S608  our own name
    until(lambda: odoo.odoo.sql(dropped), "the slot is dropped")
    assert mode("while there is no slot") == "poll"
    with pytest.raises(Fatal, match="FAILED"):
        connect.start()
    assert mode("while the connector has failed") == "poll"
    said = standing.status(settings.kafka, odoo.db)
    assert said is not None
    assert said["state"] == "capturing"
    assert "its slot still in PostgreSQL" in (said["why"] or "")
    odoo("res.partner", "unlink", [doomed])  # which no poll sees, and the sweep is an hour away
    connect.forget()
    connect.start()
    until(lambda: mode(f"followed again {time.monotonic()}") == "log", "the log is followed again", timeout=120)
    both.logged.until(topic, gone, lambda events: events[-1]["current"] is None)
    both.polled.until(topic, gone, lambda events: events[-1]["current"] is None)
    until(lambda: (standing.status(settings.kafka, odoo.db) or {"why": "nothing"})["why"] is None, "no trouble is told")
    assert told(both.logged)[topic, key] == told(both.polled)[topic, key]


def _marked(odoo: Client, both: Both) -> int:
    """A client that both captures have told of: what they publish from here on is new to both."""
    marker: int = odoo("res.partner", "create", {"name": "marker", "is_company": True})
    key = f"odoo:{odoo.db}:res.partner:{marker}"
    for one in (both.polled, both.logged):
        one.until("sales.client.v1", key, bool, deadline=240)
    deadline = time.monotonic() + 120
    while (
        True
    ):  # the first sweep of each may still be at work, and whether the log is followed shows only in its events
        odoo("res.partner", "write", [marker], {"name": f"marker {time.monotonic()}"})
        more = len(both.logged.events["sales.client.v1", key]) + 1
        for one in (both.logged, both.polled):
            one.until("sales.client.v1", key, lambda found, least=more: len(found) >= least)  # type: ignore[misc]
        events = both.logged.events["sales.client.v1", key]
        if [event["meta"]["mode"] for event in events[-3:]] == ["log"] * 3:
            return marker
        assert time.monotonic() < deadline, "the log is not followed"


class Connector:
    """What Debezium would write, by hand."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.topic = f"test-log-{uuid4().hex[:8]}"
        client = admin(kafka)
        client.create_topics([NewTopic(self.topic, 1, 1)])[self.topic].result(30)
        self._producer = producer(kafka)

    def write(self, value: bytes) -> None:
        self._producer.produce(self.topic, value)
        self._producer.flush(10)

    def beat(self) -> None:
        self.write(b'{"ts_ms":1795722919574}')

    def row(self, table: str, record_id: int, operation: str, **source: str) -> None:
        row = {"id": record_id}
        before, after = (row, None) if operation == "d" else (None, row)
        self.write(
            json.dumps(
                {"before": before, "after": after, "source": {"table": table, **source}, "op": operation, "ts_ms": 1}
            ).encode()
        )


@pytest.fixture
def followed(
    embedded: EmbeddedOdoo,
    kafka: KafkaSettings,
    begin: Callable[..., Running],
    subscriber_of: Callable[[KafkaSettings], Subscriber],
) -> tuple[Client, Connector, Subscriber]:
    """A capture that follows a log told by hand. It polls at every 0.2 s while it hears nothing for two seconds."""
    told_by, subscriber = Connector(kafka), subscriber_of(kafka)
    told_by.beat()
    settings = make_settings(embedded, kafka, log_topic=told_by.topic, log_silence=2.0, sweep_interval=3600.0)
    subscriber.check = begin(settings).check
    return Client(embedded, "embedded"), told_by, subscriber


def test_a_silent_log_is_made_up_for_by_polls_and_followed_again(
    followed: tuple[Client, Connector, Subscriber],
) -> None:
    odoo, log, subscriber = followed
    client = odoo("res.partner", "create", {"name": "A", "is_company": True})
    key = f"odoo:{odoo.db}:res.partner:{client}"
    subscriber.until("sales.client.v1", key, bool)  # nobody beats: it is polled

    def named(name: str) -> str:
        odoo("res.partner", "write", [client], {"name": name})
        seen = len(subscriber.events["sales.client.v1", key])
        end = time.monotonic() + 60
        while len(subscriber.events["sales.client.v1", key]) == seen:
            assert time.monotonic() < end
            log.row("res_partner", client, "u") if name != "polled" else None
            subscriber.check()
            subscriber.poll(0.3)
        return str(subscriber.events["sales.client.v1", key][-1]["meta"]["mode"])

    until(lambda: named(f"logged {time.monotonic()}") == "log", "the log is followed")
    time.sleep(2.5)  # the silence that is configured
    assert named("polled") == "poll"
    until(lambda: named(f"again {time.monotonic()}") == "log", "the log is followed again")


def test_a_connector_that_began_anew_is_made_up_for_although_nobody_missed_it(
    followed: tuple[Client, Connector, Subscriber],
) -> None:
    """It beats all the time; what happened between its old slot and its new one is in no log."""
    odoo, log, subscriber = followed
    gone, other = odoo("res.partner", "create", [{"name": name, "is_company": True} for name in "AB"])
    keys = [f"odoo:{odoo.db}:res.partner:{record}" for record in (gone, other)]
    for key in keys:
        subscriber.until("sales.client.v1", key, bool)
    end = time.monotonic() + 60
    while [event["meta"]["mode"] for event in subscriber.events["sales.client.v1", keys[1]]][-1] != "log":
        assert time.monotonic() < end
        odoo("res.partner", "write", [other], {"name": f"B {time.monotonic()}"})
        log.row("res_partner", other, "u", sequence='["1","2"]')
        subscriber.check()
        subscriber.poll(0.3)

    def quiet(seconds: float) -> None:
        """Beats alone, until no sweep has ended for so long."""
        since, swept = time.monotonic(), None
        while time.monotonic() < since + seconds:
            log.beat()
            subscriber.check()
            subscriber.poll(0.3)
            now = {model: cursor["swept_at"] for model, cursor in standing.cursors(subscriber.kafka, odoo.db).items()}
            since, swept = (since if now == swept else time.monotonic()), now

    quiet(3)  # the sweep with which the capture began to follow is over
    odoo("res.partner", "unlink", [gone])
    quiet(3)
    assert verbs(subscriber.events["sales.client.v1", keys[0]]) == ["onboarded"], "nothing tells of it"
    end = time.monotonic() + 60
    while verbs(subscriber.events["sales.client.v1", keys[0]])[-1] != "deleted":
        assert time.monotonic() < end
        log.row("res_partner", other, "u", sequence='[null,"3"]')
        subscriber.check()
        subscriber.poll(0.3)


def test_deletions_emptied_tables_and_nonsense_in_the_log(followed: tuple[Client, Connector, Subscriber]) -> None:
    odoo, log, subscriber = followed
    one, two = odoo("res.partner", "create", [{"name": name, "is_company": True} for name in "AB"])
    keys = [f"odoo:{odoo.db}:res.partner:{record}" for record in (one, two)]
    for key in keys:
        subscriber.until("sales.client.v1", key, bool)

    def gone(key: str, say: Callable[[], None]) -> str:
        end = time.monotonic() + 60
        while verbs(subscriber.events["sales.client.v1", key])[-1] != "deleted":
            assert time.monotonic() < end
            say()
            subscriber.check()
            subscriber.poll(0.3)
        return str(subscriber.events["sales.client.v1", key][-1]["meta"]["mode"])

    log.write(b"no message of Debezium's")
    odoo("res.partner", "unlink", [one])
    assert gone(keys[0], lambda: log.row("res_partner", one, "d")) == "log"
    odoo("res.partner", "unlink", [two])
    emptied = json.dumps({"before": None, "after": None, "source": {"table": "res_partner"}, "op": "t", "ts_ms": 1})
    assert gone(keys[1], lambda: log.write(emptied.encode())) == "sweep"
