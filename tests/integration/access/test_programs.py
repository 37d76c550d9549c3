"""The real programs, each under its own name on a broker with ACLs on: what the registry gives them is enough, and is all they have."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import odoorpc
import pytest
import yaml
from standardwebhooks import Webhook

from burnline.commands import cluster_checks
from burnline.commands.finding import Finding
from burnline.demo.stage import free_port, new_secret
from burnline.supervisor import Supervisor, burnline_child
from consumers import dead_letters, show, trail
from consumers.core.trail_chain import verify
from consumers.lag import lag
from consumers.tail import tail
from infra.embedded_odoo import EmbeddedOdoo
from infra.errors import Fatal
from infra.kafka.clients import broker_answers
from infra.settings import AccessSettings, KafkaSettings, Settings
from tests.integration.access.conftest import ROLES
from tests.support.drill import until
from tests.support.guarded import Door, burnline, clean

LOG_RULE = {
    "name": "note",
    "owner": "platform",
    "then": [{"target": "log"}],
    "alternates": ["operations"],
    "service_level": "P1D",
}
DEADLINE = 120.0


@pytest.fixture
def odoo(tmp_path: Path) -> Iterator[EmbeddedOdoo]:
    with EmbeddedOdoo(tmp_path / "firm.db", db=f"firm-{uuid.uuid4().hex[:8]}") as odoo:
        yield odoo


class Firm:
    """A firm at work: somebody logged more time on a project than it has, and an invoice stands open."""

    def __init__(self, odoo: EmbeddedOdoo) -> None:
        at = urlsplit(odoo.url)
        self._rpc = odoorpc.ODOO(at.hostname, port=at.port)
        self._rpc.login(odoo.db, odoo.user, odoo.password)
        self.project = self._make("project.project", name="Tower", allow_timesheets=True, allocated_hours=1.0)
        self.employee = self._make("hr.employee", name="Ann", hourly_cost=50.0)
        self._make(
            "account.analytic.line",
            name="work",
            project_id=self.project,
            employee_id=self.employee,
            unit_amount=2.0,
            date=date.today().isoformat(),  # noqa: DTZ011  as people write it
        )
        client = self._make("res.partner", name="Client", is_company=True)
        lines = [(0, 0, {"name": "work", "quantity": 2, "price_unit": 500.0})]
        self.invoice = self._make(
            "account.move",
            move_type="out_invoice",
            partner_id=client,
            invoice_line_ids=lines,
            invoice_date="2026-10-01",
        )
        self._rpc.execute_kw("account.move", "action_post", [[self.invoice]], {})

    def _make(self, model: str, **values: Any) -> int:
        made: int = self._rpc.execute_kw(model, "create", [values], {})
        return made


def test_every_program_does_its_work_under_its_own_name(door: Door, odoo: EmbeddedOdoo, tmp_path: Path) -> None:
    firm = Firm(odoo)
    secret, port = new_secret(), free_port()
    (tmp_path / "firm.yaml").write_text(yaml.safe_dump({"actions": {"rules": [LOG_RULE]}}))
    common = {
        **clean(),
        "ODOO_URL": odoo.url,
        "ODOO_DB": odoo.db,
        "ODOO_USER": odoo.user,
        "ODOO_PASSWORD": odoo.password,
        "BURNLINE_CONFIG": str(tmp_path / "firm.yaml"),
        "BURNLINE_WEBHOOKS__PORT": str(port),
        "BURNLINE_WEBHOOKS__SOURCES": json.dumps({"helpdesk": secret}),
        "BURNLINE_WEBHOOKS__SPOOL_DIR": str(tmp_path / "webhooks"),
        "BURNLINE_STREAMS__WEB_PORT": "0",
        "BURNLINE_STREAMS__DATA_DIR": str(tmp_path / "streams"),
        "BURNLINE_CLOCK__PERIOD": "1",
    }

    def playing(role: str) -> dict[str, str]:
        return common | door.environment(f"burnline-{role}")

    def reading(role: str) -> Settings:
        return Settings(kafka=door.kafka(f"burnline-{role}"))

    once = burnline("capture", "--once", **playing("capture"))
    assert once.returncode == 0, once.stderr
    published = dict(line.split("\t") for line in once.stdout.splitlines())
    assert published["delivery.timesheet.v1"] == "1"

    programs = ("webhooks", "streams", "actions", "governor", "assist", "clock", "capture")
    children = [burnline_child(name, environment=playing(name), log_folder=tmp_path) for name in programs]
    children.append(burnline_child("trail", "keep", environment=playing("trail"), log_folder=tmp_path))
    children.append(burnline_child("dlq", "watch", environment=playing("letters"), log_folder=tmp_path))
    programs = tuple(child.name for child in children)
    with Supervisor(children):
        dispute(f"http://127.0.0.1:{port}", secret, firm.invoice)
        invoice, employee = (
            f"odoo:{odoo.db}:{record}" for record in (f"account.move:{firm.invoice}", f"hr.employee:{firm.employee}")
        )
        analytics, operator = reading("analytics"), reading("operator")
        until(
            lambda: invoice in {row["subject"] for row in show.disputes(analytics)},
            "a dispute that came by webhook is measured",
            timeout=DEADLINE,
        )
        for topic in ("governance.alert.v1", "governance.action.v1", "governance.duty.v1", "governance.proposal.v1"):
            (first,) = tail(analytics, topic, from_beginning=True, limit=1)
            assert first["value"]["meta"]["event_type"].startswith(topic.removesuffix("v1"))
        assert employee in {row["subject"] for row in show.utilization(reading("people-analytics"))}
        until(
            lambda: (
                {"burnline.streams", "consumers.actions", "consumers.actions.duties"}
                <= {one.group for one in lag(operator)}
            ),
            "the lag of all groups shows",
            timeout=DEADLINE,
        )
        assert dead_letters.queue(operator).letters == {}
        kinds = {"status", "exception", "integration"}
        until(
            lambda: kinds <= {entry["kind"] for entry in trail.entries(operator.kafka)},
            "what happened is in the trail",
            timeout=DEADLINE,
        )
        assert list(verify(trail.entries(operator.kafka))) == []
        (alert,) = tail(analytics, "governance.alert.v1", from_beginning=True, limit=1)
        steward = playing("steward")
        drawn = burnline("trace", alert["value"]["meta"]["correlation_id"], "--json", **steward)
        assert drawn.returncode == 0, drawn.stderr
        depths = {json.loads(line)["topic"]: json.loads(line)["depth"] for line in drawn.stdout.splitlines()}
        assert depths["governance.alert.v1"] < depths["governance.action.v1"], drawn.stdout
        assert min(depths.values()) == 0
        person = ("privacy", "erase", employee, "--reason", "request 1", "--yes")
        assert "are running" in burnline(*person, **steward).stderr
        deaths = {child.name: child.deaths for child in children}
    said = {name: (tmp_path / f"{name}.log").read_text() for name in programs}
    assert deaths == dict.fromkeys(programs, 0), said
    assert not [name for name, text in said.items() if "AUTHORIZATION" in text.upper()], said
    erased = burnline(*person, "--json", **steward)
    assert erased.returncode == 0, (erased.stdout, erased.stderr)
    tombstones = {row["topic"] for row in map(json.loads, erased.stdout.splitlines()) if row["kind"] == "tombstone"}
    assert tombstones >= {"people.consultant.v1", "measure.utilization.v1", "internal.utilization-state.v1"}


def dispute(url: str, secret: str, invoice: int) -> None:
    """Open a dispute, once the server listens."""
    at = datetime.now(UTC)
    body = json.dumps({"type": "dispute.opened", "timestamp": at.isoformat(), "data": {"invoice_id": invoice}})
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body),
    }

    def accepted() -> bool:
        try:
            return httpx.post(f"{url}/webhooks/helpdesk", content=body, headers=headers).status_code == 202
        except httpx.TransportError:
            return False

    until(accepted, "a signed webhook is taken", timeout=DEADLINE)


def findings(kafka: KafkaSettings, principals: dict[str, str] | None = None) -> list[Finding]:
    return cluster_checks.access(Settings(kafka=kafka, access=AccessSettings(principals=principals or {})))  # type: ignore[arg-type]


def test_the_cluster_was_made_by_the_commands_and_the_second_plan_was_empty(door: Door) -> None:
    applied, after = door.told
    assert (applied.status, after.status) == (0, 0), door.told
    assert "User:burnline-capture" in applied.stdout
    assert "people.consultant.v1" in applied.stdout
    assert "changes made and read back" in applied.stderr
    assert "the cluster is as declared" in after.stdout


def test_the_administrator_plans_and_nobody_else_is_told_a_wrong_difference(door: Door) -> None:
    assert burnline("topics", "plan", "--json", **door.environment("burnline-admin")).returncode == 0
    refused = burnline("topics", "plan", **door.environment("burnline-streams"))
    assert refused.returncode == 2, refused.stdout
    assert "TOPIC_AUTHORIZATION_FAILED" in refused.stderr
    assert "burnline topics apply" in refused.stderr


@pytest.mark.parametrize("role", ROLES)
def test_nobody_lacks_anything_when_the_registry_was_applied(door: Door, role: str) -> None:
    found = findings(door.kafka(f"burnline-{role}"))
    assert [finding.verdict for finding in found if finding.check == f"access of User:burnline-{role}"] == ["ok"]
    assert "failed" not in {finding.verdict for finding in found}


def test_doctor_names_each_right_that_is_missing_and_what_gives_it(door: Door) -> None:
    user = f"newcomer-{uuid.uuid4().hex[:8]}"
    door.make_users([user])
    played = {"clock": f"User:{user}"}
    done = burnline("doctor", "--json", BURNLINE_ACCESS__PRINCIPALS=json.dumps(played), **door.environment(user))
    (found,) = (one for one in map(json.loads, done.stdout.splitlines()) if one["check"] == f"access of User:{user}")
    assert done.returncode == 1
    assert found["verdict"] == "failed"
    assert found["detail"] == (
        "as clock it must, and may not: "
        "read group burnline.clock, describe group burnline.scratch.*, read topic ops.clock.v1, write topic ops.clock.v1"
    )
    assert "run `burnline topics apply` as the administrator" in found["remedy"]
    seen_by_root = findings(door.root, played)
    assert seen_by_root[0].verdict == "failed"
    assert f"User:{user} may not" in seen_by_root[0].detail


@pytest.mark.parametrize(
    ("command", "role", "says"),
    [
        pytest.param(("show", "utilization"), "analytics", "TOPIC_AUTHORIZATION_FAILED", id="a measure of people"),
        pytest.param(("tail", "ops.dead-letter.v1"), "analytics", "TOPIC_AUTHORIZATION_FAILED", id="dead letters"),
        pytest.param(("clock",), "webhooks", "TOPIC_AUTHORIZATION_FAILED", id="a program under another's name"),
    ],
)
def test_what_is_refused_says_so_and_what_to_do(door: Door, command: tuple[str, ...], role: str, says: str) -> None:
    done = burnline(*command, **door.environment(f"burnline-{role}"))
    assert done.returncode == 2, done.stdout
    assert says in done.stderr
    assert "`burnline topics apply`, run as the administrator, gives the right" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param({"sasl_password": "guessed"}, "BURNLINE_KAFKA__SASL_USERNAME", id="a wrong password"),
        pytest.param({"ssl_ca_location": None}, "BURNLINE_KAFKA__SSL_CA_LOCATION", id="an authority we do not know"),
    ],
)
def test_who_is_not_let_in_is_told_why_at_once(door: Door, wrong: dict[str, Any], says: str) -> None:
    kafka = KafkaSettings(**{**door.kafka("burnline-clock").model_dump(), **wrong})
    with pytest.raises(Fatal) as caught:
        broker_answers(kafka, timeout=30)
    assert says in caught.value.remedy
    assert "guessed" not in str(caught.value)
