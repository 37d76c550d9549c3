"""Bad input and outages: a clear error that names the thing and the remedy, and nothing lost."""

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import producers.capture
from infra.embedded_kafka import EmbeddedKafka
from infra.embedded_odoo import EmbeddedOdoo, calls
from infra.errors import Fatal, Transient
from infra.kafka import topics
from infra.odoo import connect
from infra.settings import KafkaSettings, OdooSettings
from producers.capture.survey import survey
from schemas.events import odoo_key

LINE, TIMESHEET = "account.analytic.line", "delivery.timesheet.v1"


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.odoo)])
def any_odoo(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("embedded" if request.param == "embedded" else "real_odoo")


def odoo_settings(odoo: Any, **changed: Any) -> OdooSettings:
    given = {"url": odoo.url, "db": odoo.db, "user": odoo.user, "password": odoo.password, "timeout": 20.0}
    return OdooSettings(**{**given, **changed})


@pytest.mark.parametrize(
    ("changed", "says", "remedy"),
    [
        pytest.param({"password": "hunter2"}, "refused the user or the password", "ODOO_PASSWORD", id="wrong password"),
        pytest.param({"user": "nobody"}, "refused the user or the password", "ODOO_USER", id="unknown user"),
        pytest.param({"db": "nowhere"}, "has no database nowhere", "ODOO_DB", id="unknown database"),
        pytest.param({"url": "localhost:8069"}, "is no address", "https://", id="an address without a scheme"),
        pytest.param({"url": None}, "no Odoo is configured", "ODOO_URL", id="nothing configured"),
        pytest.param({"password": None}, "no password", "ODOO_PASSWORD", id="no password"),
    ],
)
def test_what_a_person_must_correct_is_fatal(any_odoo: Any, changed: dict[str, Any], says: str, remedy: str) -> None:
    with pytest.raises(Fatal, match=says) as caught:
        connect(odoo_settings(any_odoo, **changed))
    assert remedy in caught.value.remedy
    assert "hunter2" not in str(caught.value)


def test_a_client_reads_what_there_is(any_odoo: Any) -> None:
    client = connect(odoo_settings(any_odoo))
    assert client.version().startswith("19")
    assert any_odoo.db in client.databases()
    (company,) = client.read("res.company", [1, 99_999_999], ["currency_id"])
    assert isinstance(company["currency_id"], int), "many2one values come as bare ids"
    archived = client.search("res.users", [("active", "=", False)])
    assert set(archived) <= set(client.search("res.users", [])), "archived records are included"
    assert client.fields_get("res.company")["currency_id"]["type"] == "many2one"


def test_what_odoo_refuses_keeps_its_sentence(any_odoo: Any) -> None:
    with pytest.raises(Fatal, match=r"no\.such\.model"):
        connect(odoo_settings(any_odoo)).search("no.such.model", [])


def test_a_password_changed_meanwhile_is_fatal_and_not_told(any_odoo: Any) -> None:
    client = connect(odoo_settings(any_odoo))
    client.transport._odoo._password = "hunter2"
    with pytest.raises(Fatal, match="refused the user") as caught:
        client.search("res.company", [])
    assert "hunter2" not in str(caught.value)


class Page(http.server.BaseHTTPRequestHandler):
    """A proxy whose server is down, or something that is no Odoo."""

    def do_POST(self) -> None:
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.answer = request.param  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("page", "kind", "says"),
    [
        pytest.param((200, b"<html>Welcome</html>"), Transient, "a page instead of JSON", id="a page"),
        pytest.param((404, b"nothing"), Fatal, "HTTP 404", id="no Odoo there"),
        pytest.param((502, b"bad gateway"), Transient, "HTTP 502", id="a proxy whose server is down"),
    ],
    indirect=["page"],
)
def test_something_else_answers(page: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says) as caught:
        connect(OdooSettings(url=page, db="x", password="x"))  # type: ignore[arg-type]
    assert caught.value.remedy  # type: ignore[attr-defined]


def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Transient, match=f"no Odoo answers at {url}") as caught:
            connect(OdooSettings(url=url, db="x", password="x"))  # type: ignore[arg-type]
    assert "ODOO_URL" in caught.value.remedy


def test_one_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Transient, match=r"did not answer .* in time"):
            connect(OdooSettings(url=url, db="x", password="x", timeout=0.1))  # type: ignore[arg-type]


def run(settings: Any, config: dict[str, object] | None = None) -> dict[str, int]:
    return producers.capture.run(settings, config or {}, once=True, stop=threading.Event())


@pytest.mark.kafka
def test_an_unknown_key_of_the_configuration_is_named(embedded: EmbeddedOdoo, kafka: Any, settings_for: Any) -> None:
    with pytest.raises(Fatal, match=r"capture\.aproved") as caught:
        run(settings_for(embedded, kafka), {"capture": {"aproved": {}}})
    assert caught.value.remedy


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("config", "lost", "says"),
    [
        pytest.param(
            {"cost_budget_field": "x_nothing"},
            "delivery.project.v1",
            "project.project has no field x_nothing",
            id="a budget field",
        ),
        pytest.param(
            {"approved": {"field": "x_nothing"}},
            "delivery.timesheet.v1",
            "account.analytic.line has no field x_nothing",
            id="a rule's field",
        ),
        pytest.param(
            {"required_skills_field": "x_nothing"},
            "delivery.task.v1",
            "project.task has no field x_nothing",
            id="a field of demanded skills",
        ),
    ],
)
def test_a_configured_field_that_is_not_there_turns_off_its_mapping_alone(
    embedded: EmbeddedOdoo, kafka: Any, settings_for: Any, *, config: dict[str, Any], lost: str, says: str
) -> None:
    with embedded.transaction() as transaction:
        employee = transaction.create("hr.employee", {"name": "Ann"})
        project = transaction.create("project.project", {"name": "P"})
        transaction.create("project.task", {"name": "t", "project_id": project})
        transaction.create(LINE, {"name": "w", "project_id": project, "employee_id": employee, "unit_amount": 1.0})
    settings = settings_for(embedded, kafka)
    counts = run(settings, {"capture": config})
    expected = {"people.consultant.v1", "delivery.project.v1", "delivery.task.v1", TIMESHEET} - {lost}
    assert expected <= set(counts)
    assert lost not in counts
    told = [problem for problem in survey(connect(settings.odoo), {"capture": config}) if says in problem.detail]
    assert len(told) == 1
    assert "section `capture`" in told[0].remedy


@pytest.mark.kafka
def test_a_missing_module_turns_off_its_mapping_alone(
    embedded: EmbeddedOdoo, kafka: Any, settings_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded.transaction() as transaction:
        employee = transaction.create("hr.employee", {"name": "Ann"})
        transaction.create("hr.expense", {"name": "taxi", "employee_id": employee, "total_amount": 20.0})
    monkeypatch.setattr(calls, "MODELS", {name: m for name, m in calls.MODELS.items() if name != "hr.expense"})
    counts = run(settings_for(embedded, kafka))
    assert "finance.expense.v1" not in counts
    assert counts["people.consultant.v1"] == 1
    told = {problem.model: problem for problem in survey(connect(settings_for(embedded, kafka).odoo), {})}
    assert "install the module hr_expense" in told["hr.expense"].remedy
    assert "install the module stock" in told["stock.picking"].remedy


def test_kafka_down_at_the_start(embedded: EmbeddedOdoo, settings_for: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Transient, match=f"no Kafka broker answers on {address}") as caught:
            run(settings_for(embedded, KafkaSettings(bootstrap_servers=address)))
    assert "BURNLINE_KAFKA__BOOTSTRAP_SERVERS" in caught.value.remedy


@pytest.mark.kafka
def test_odoo_away_for_a_while(tmp_path: Path, kafka: Any, settings_for: Any, begin: Any, subscriber: Any) -> None:
    file, name = tmp_path / "firm.db", f"firm-{tmp_path.name}-away"
    with EmbeddedOdoo(file, db=name) as odoo:
        port = int(odoo.url.rpartition(":")[2])
        with odoo.transaction() as transaction:
            project = transaction.create("project.project", {"name": "P"})
            line = transaction.create(LINE, {"name": "w", "project_id": project, "unit_amount": 1.0})
        running = begin(settings_for(odoo, kafka))
        key = odoo_key(name, LINE, line)
        subscriber.until(TIMESHEET, key, lambda events: len(events) == 1)
    with EmbeddedOdoo(file, port, db=name) as odoo:
        with odoo.transaction() as transaction:
            transaction.write(LINE, [line], {"unit_amount": 2.0})
        events = subscriber.until(TIMESHEET, key, lambda events: len(events) == 2)
        running.check()
        running.end()
    assert events[-1]["current"]["minutes"] == 120


@pytest.mark.kafka
@pytest.mark.drill
def test_kafka_away_for_a_while(
    tmp_path: Path, embedded: EmbeddedOdoo, settings_for: Any, begin: Any, subscriber_of: Any
) -> None:
    """A broker of one's own, stopped and started again on its port while people go on working."""
    with EmbeddedKafka(tmp_path / "kafka") as broker:
        port = broker.port
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        topics.apply(kafka, topics.plan(kafka))
        with embedded.transaction() as transaction:
            project = transaction.create("project.project", {"name": "P"})
            line = transaction.create(LINE, {"name": "w", "project_id": project, "unit_amount": 1.0})
        subscriber = subscriber_of(kafka)
        running = begin(settings_for(embedded, kafka))
        subscriber.check = running.check
        key = odoo_key(embedded.db, LINE, line)
        subscriber.until(TIMESHEET, key, lambda events: len(events) == 1)
        broker.stop()
        with embedded.transaction() as transaction:
            transaction.write(LINE, [line], {"unit_amount": 2.0})
    with EmbeddedKafka(tmp_path / "kafka", port=port):
        events = subscriber.until(TIMESHEET, key, lambda events: len(events) == 2)
        assert [event["meta"]["version"] for event in events] == [1, 2]
        running.end()
