"""`burnline odoo install-webhooks` on the real Odoo: idempotent, checked, removable; and what it makes tells of changes and deletions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import odoorpc
import pytest

from infra.kafka import topics
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings, Settings, WebhookSettings
from producers.webhooks import serve
from schemas import codec
from tests.conftest import RealOdoo
from tests.support.drill import until

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.odoo,
    pytest.mark.alone,
]  # every write to the Odoo posts while the rules are there
TOKEN = "t" * 43


@contextmanager
def receiver(bootstrap: str, database: str, spool: Path) -> Iterator[str]:
    """A webhook server for Odoo's posts, and its address."""
    own = WebhookSettings(port=0, odoo_token=TOKEN, odoo_ack_timeout=0.9, spool_dir=spool)
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=bootstrap), webhooks=own)
    stop, listening, ports = threading.Event(), threading.Event(), []

    def on_listening(port: int) -> None:
        ports.append(port)
        listening.set()

    told = {"database": database, "on_listening": on_listening, "stop": stop}
    thread = threading.Thread(target=serve, args=(settings,), kwargs=told)
    thread.start()
    try:
        assert listening.wait(60)
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        stop.set()
        thread.join(60)


class Rules:
    """The command, against this Odoo."""

    def __init__(self, odoo: RealOdoo) -> None:
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("BURNLINE_", "ODOO_"))},
            "ODOO_URL": odoo.url,
            "ODOO_DB": odoo.db,
            "ODOO_USER": odoo.user,
            "ODOO_PASSWORD": odoo.password,
            "BURNLINE_WEBHOOKS__ODOO_TOKEN": TOKEN,
        }
        self.told = ""

    def run(self, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        command = [sys.executable, "-m", "burnline", "odoo", "install-webhooks", "--json", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        self.told = done.stderr
        assert done.returncode == status, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def rpc(real_odoo: RealOdoo) -> Any:
    at = urlsplit(real_odoo.url)
    odoo = odoorpc.ODOO(at.hostname, port=at.port)
    odoo.login(real_odoo.db, real_odoo.user, real_odoo.password)
    return odoo


@pytest.fixture
def rules(real_odoo: RealOdoo) -> Iterator[Rules]:
    found = Rules(real_odoo)
    yield found
    found.run("--remove")


def hints(kafka: KafkaSettings, model: str, record: int) -> list[dict[str, Any]]:
    events = [codec.decode(one.value() or b"").value["current"] for one in read_to_end(kafka, "ops.webhook.v1")]
    return [one for one in events if (one["model"], one["record_id"]) == (model, record)]


def test_rules_are_made_checked_mended_removed_and_tell_of_changes_and_deletions(
    real_odoo: RealOdoo, rpc: Any, rules: Rules, kafka_bootstrap: str, tmp_path: Path
) -> None:
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    topics.apply(kafka, topics.plan(kafka))
    foreign = rpc.execute_kw("base.automation", "create", [_foreign(rpc)], {})
    try:
        with receiver(kafka_bootstrap, real_odoo.db, tmp_path) as url:
            missing = rules.run("--check", "--url", url, status=1)
            assert {one["action"] for one in missing} == {"create"}
            assert not any(one["done"] for one in missing)
            made = rules.run("--url", url)
            assert "nobody answers" not in rules.told
            assert [one["rule"] for one in made] == [one["rule"] for one in missing]
            assert rules.run("--check", "--url", url) == []
            assert rules.run("--url", url) == []

            record = _timesheet(rpc)
            until(lambda: hints(kafka, "account.analytic.line", record), "the creation is told")
            before = len(hints(kafka, "account.analytic.line", record))
            assert before < 5, "without a list of fields it would be told a dozen times"
            rpc.execute_kw("account.analytic.line", "write", [[record], {"unit_amount": 3.0}], {})
            until(lambda: len(hints(kafka, "account.analytic.line", record)) > before, "the change is told")
            rpc.execute_kw("account.analytic.line", "unlink", [[record]], {})
            until(lambda: hints(kafka, "account.analytic.line", record)[-1]["action"].startswith("Burnline: account.analytic.line deleted"), "the deletion is told")  # fmt: skip

        _meddle(rpc)
        differing = {one["rule"]: one["why"] for one in rules.run("--check", "--url", url, status=1)}
        assert differing == {
            "Burnline: project.project saved": "it is switched off",
            "Burnline: project.milestone saved": "it watches other fields",
            "Burnline: project.milestone deleted": "it does something else",
            "Burnline: res.partner deleted": "it is not there",
        }
        rules.run("--url", url)
        assert f"nobody answers at {url}" in rules.told, "the receiver has ended"
        assert rules.run("--check", "--url", url) == []
        assert {one["why"] for one in rules.run("--check", "--url", "https://hooks.example.com", status=1)} == {"it posts to another address"}  # fmt: skip
        assert len(rules.run("--remove")) == len(made)
        assert rules.run("--remove") == []
        assert real_odoo.sql("select count(*) from ir_act_server where webhook_url like '%/odoo/%'") == [["0"]]
        assert rpc.execute_kw("base.automation", "search_count", [[("id", "=", foreign)]], {}) == 1
    finally:
        rpc.execute_kw("base.automation", "unlink", [[foreign]], {})


def test_a_user_who_may_not_is_told_so(real_odoo: RealOdoo, rpc: Any) -> None:
    login = f"plain-{os.getpid()}"
    user = rpc.execute_kw("res.users", "create", [{"name": login, "login": login, "password": "plain-password"}], {})
    try:
        plain = RealOdoo(real_odoo.url, real_odoo.db, login, "plain-password", real_odoo.pg_dsn)
        Rules(plain).run("--check", "--url", "http://127.0.0.1:1", status=2)
    finally:
        rpc.execute_kw("res.users", "unlink", [[user]], {})


def _model(rpc: Any, name: str) -> int:
    (found,) = rpc.execute_kw("ir.model", "search", [[("model", "=", name)]], {})
    return int(found)


def _foreign(rpc: Any) -> dict[str, Any]:
    """A rule of somebody else's."""
    model = _model(rpc, "project.task")
    action = {"name": "theirs", "model_id": model, "state": "code", "code": "pass", "usage": "base_automation"}
    return {
        "name": "theirs",
        "model_id": model,
        "trigger": "on_unlink",
        "action_server_ids": [(0, 0, action)],
    }


def _timesheet(rpc: Any) -> int:
    project = rpc.execute_kw("project.project", "create", [{"name": "Hints", "allow_timesheets": True}], {})
    (employee,) = rpc.execute_kw("hr.employee", "search", [[]], {"limit": 1})
    line = {"name": "work", "project_id": project, "employee_id": employee, "unit_amount": 2.0}
    return int(rpc.execute_kw("account.analytic.line", "create", [line | {"date": date.today().isoformat()}], {}))  # noqa: DTZ011  as people write it


def _meddle(rpc: Any) -> None:
    """What administrators do."""

    def one(name: str) -> list[int]:
        return list(rpc.execute_kw("base.automation", "search", [[("name", "=", f"Burnline: {name}")]], {}))

    rpc.execute_kw("base.automation", "write", [one("project.project saved"), {"active": False}], {})
    rpc.execute_kw("base.automation", "write", [one("project.milestone saved"), {"trigger_field_ids": [(5,)]}], {})
    rpc.execute_kw(
        "base.automation", "write", [one("project.milestone deleted"), {"filter_domain": "[('id','=',1)]"}], {}
    )
    rpc.execute_kw("base.automation", "unlink", [one("res.partner deleted")], {})
