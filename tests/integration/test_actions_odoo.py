"""Activities in a real Odoo: opened once, kept current, closed with their alert, by people or by us."""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from consumers.actions import run
from infra.errors import Fatal
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.odoo import connect
from infra.settings import ActionSettings, OdooSettings, Settings
from schemas import codec
from tests.support.actions import acting, wait_for
from tests.support.alerts import ALERTS, alert

RUNNER = """
import json, sys, threading
from consumers.actions import run
from infra.settings import load_settings
settings = load_settings()
run(settings, json.loads(sys.argv[1]), settings.odoo, threading.Event())
"""
FIELDS = ["summary", "note", "date_deadline", "user_id", "active", "res_id"]


@pytest.fixture(scope="module")
def odoo_settings(real_odoo):
    return OdooSettings(url=real_odoo.url, db=real_odoo.db, user=real_odoo.user, password=real_odoo.password)


@pytest.fixture(scope="module")
def odoo(odoo_settings):
    return connect(odoo_settings)


class Case:
    """One test's records, alerts, policy and group."""

    def __init__(self, kafka, odoo):
        self.kafka, self.odoo = kafka, odoo
        self.id = uuid.uuid4().hex
        self.rule = f"test-{self.id}.hours"
        self.alert = partial(alert, rule=self.rule, occurred_at=datetime.now(UTC))
        self.made = []

    def settings(self, **changed):
        quick = {"schedule": (0.05, 0.1), "group": f"test.actions-{self.id}"}
        return Settings(kafka=self.kafka, actions=ActionSettings(**(quick | changed)))

    def policy(self, **target):
        rule = {
            "name": "test",
            "owner": "o",
            "when": {"rule": self.rule},
            "then": [{"target": "odoo_activity", **target}],
        }
        return {"actions": {"rules": [rule]}}

    def project(self, **values):
        return self.create("project.project", name=f"actions {self.id}", **values)

    def create(self, model, **values):
        (record,) = self.odoo.call(model, "create", vals_list=[values])
        self.made.append((model, record))
        return record

    def clean_up(self):
        for model, record in reversed(self.made):
            self.odoo.call(model, "unlink", [record])

    def subject(self, model, record):
        return f"odoo:{self.odoo.database}:{model}:{record}"

    def publish(self, *events):
        writer = EventWriter(producer(self.kafka))
        for event in events:
            writer.send(ALERTS, event)
        writer.flush()

    def last(self, event):
        """The last step of the one action about this very event; None before there is one."""
        steps = [codec.decode(record.value()).value for record in read_to_end(self.kafka, "governance.action.v1")]
        mine = [step["current"] for step in steps if step["meta"]["causation_id"] == event["meta"]["event_id"]]
        return mine[-1] if mine else None

    def ended(self, event):
        return wait_for(lambda: (found := self.last(event)) and found["status"] in {"succeeded", "abandoned"} and found)

    def activities(self, model, record):
        return self.odoo.search_read("mail.activity", [("res_model", "=", model), ("res_id", "=", record)], FIELDS)


@pytest.fixture
def case(kafka, odoo):
    made = Case(kafka, odoo)
    yield made
    made.clean_up()


def test_an_alert_opens_one_activity_keeps_it_current_and_closes_it(case, odoo_settings):
    project = case.project(user_id=2)
    about = case.subject("project.project", project)
    raised, cleared = case.alert(about), case.alert(about, status="cleared")
    changed = case.alert(about, status="changed", severity="critical")
    config = case.policy(summary="$status: $rule ($severity)", user="responsible", deadline_days=3)

    with acting(case.settings(), config, odoo_settings):
        case.publish(raised, raised)
        reference = case.ended(raised)["reference"]
        [opened] = case.activities("project.project", project)
        case.publish(changed)
        case.ended(changed)
        [updated] = case.activities("project.project", project)
        case.publish(cleared)
        case.ended(cleared)
        [closed] = case.activities("project.project", project)

    assert reference == f"mail.activity:{opened['id']}"
    assert opened["summary"] == f"raised: {case.rule} (warning)"
    assert "182" in opened["note"]
    assert (opened["date_deadline"], opened["user_id"], opened["active"]) == ("2026-04-02", 2, True)
    assert updated["summary"] == f"changed: {case.rule} (critical)"
    assert updated["id"] == closed["id"] == opened["id"]
    assert closed["active"] is False


def test_what_a_person_did_meanwhile_is_left_alone(case, odoo, odoo_settings):
    project = case.project()
    about = case.subject("project.project", project)
    raised, cleared = case.alert(about), case.alert(about, status="cleared")

    with acting(case.settings(), case.policy(), odoo_settings):
        case.publish(raised)
        case.ended(raised)
        [opened] = case.activities("project.project", project)
        odoo.call("mail.activity", "action_feedback", [opened["id"]], feedback="done by hand")
        case.publish(cleared)
        assert case.ended(cleared)["status"] == "succeeded"

    [closed] = case.activities("project.project", project)
    assert closed["active"] is False


def test_clearing_what_was_never_opened_is_no_failure(case, odoo_settings):
    project = case.project()
    cleared = case.alert(case.subject("project.project", project), status="cleared")
    case.publish(cleared)

    with acting(case.settings(), case.policy(), odoo_settings):
        assert case.ended(cleared)["status"] == "succeeded"

    assert case.activities("project.project", project) == []


def test_invoices_and_employees_can_have_activities_too(case, odoo_settings):
    partner = case.create("res.partner", name=f"client {case.id}")
    move = case.create("account.move", move_type="out_invoice", partner_id=partner)
    manager = case.create("hr.employee", name=f"manager {case.id}")
    employee = case.create("hr.employee", name=f"consultant {case.id}", parent_id=manager)
    records = {"account.move": move, "hr.employee": employee, "res.partner": partner}
    events = [case.alert(case.subject(model, record)) for model, record in records.items()]
    case.publish(*events)

    with acting(case.settings(), case.policy(user="responsible"), odoo_settings):
        assert {case.ended(event)["status"] for event in events} == {"succeeded"}

    assert [len(case.activities(model, record)) for model, record in records.items()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("subject", "target", "reason"),
    [
        pytest.param(
            "odoo:odoolab:project.project:999999999", {}, "Odoo refused an activity", id="a record that is gone"
        ),
        pytest.param("odoo:odoolab:no.model:1", {}, "no model no.model", id="a model that is not there"),
        pytest.param("helpdesk:ticket:5", {}, "no record of Odoo", id="a subject of another source"),
        pytest.param(
            "odoo:odoolab:res.partner:1",
            {"user": "nobody@nowhere"},
            "no user nobody@nowhere",
            id="a user that is not there",
        ),
        pytest.param(
            "odoo:odoolab:res.partner:1",
            {"activity_type": "mail.no_such_type"},
            "Odoo refused an activity",
            id="a type that is not there",
        ),
    ],
)
def test_what_no_retry_can_cure_is_given_up_at_once(case, odoo_settings, subject, target, reason):
    event = case.alert(subject)
    case.publish(event)

    with acting(case.settings(), case.policy(**target), odoo_settings):
        last = case.ended(event)

    assert (last["status"], last["attempt"]) == ("abandoned", 1)
    assert reason in last["detail"]


def test_a_wrong_password_is_told_at_once_and_nothing_is_given_up(case, odoo_settings):
    event = case.alert(case.subject("project.project", case.project()))
    case.publish(event)
    wrong = OdooSettings(**(odoo_settings.model_dump() | {"password": "wrong"}))

    with pytest.raises(Fatal, match="refused the user or the password"):
        run(case.settings(), case.policy(), wrong, threading.Event())

    assert case.last(event) is None


class Holding:
    """A proxy before Odoo that lets one `load` happen and keeps its answer for ever."""

    def __init__(self, upstream):
        self.held, self.release = threading.Event(), threading.Event()
        holding = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                request = urllib.request.Request(upstream + self.path, body, headers)  # noqa: S310  the lab's own address
                try:
                    answer = urllib.request.urlopen(request)  # noqa: S310
                except urllib.error.HTTPError as refused:  # passed on: it is how the transport is chosen
                    answer = refused
                with answer:
                    content, status, given = answer.read(), answer.status, answer.headers.items()
                if b'"load"' in body:
                    holding.held.set()
                    holding.release.wait(60)
                    return
                self.send_response(status)
                for name, value in given:
                    if name.lower() in {"content-type", "set-cookie"}:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def test_killed_between_the_activity_and_its_record_it_leaves_one_activity(case, odoo_settings, real_odoo):
    project = case.project()
    event = case.alert(case.subject("project.project", project))
    case.publish(event)
    proxy = Holding(real_odoo.url)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))}
    env |= {
        "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": case.kafka.bootstrap_servers,
        "BURNLINE_ACTIONS__GROUP": f"test.actions-{case.id}",
        "BURNLINE_ACTIONS__SESSION_TIMEOUT": "6",
        "ODOO_URL": proxy.url,
        "ODOO_DB": real_odoo.db,
        "ODOO_USER": real_odoo.user,
        "ODOO_PASSWORD": real_odoo.password,
    }
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, json.dumps(case.policy())], env=env)
    try:
        assert proxy.held.wait(60)  # Odoo has it, the runner does not know yet
    finally:
        runner.kill()
        runner.wait()
        proxy.close()
    assert len(case.activities("project.project", project)) == 1

    with acting(case.settings(), case.policy(), odoo_settings):
        assert case.ended(event)["attempt"] == 2

    assert len(case.activities("project.project", project)) == 1
