"""The shipped workflows in a real n8n, from npm: they are imported, activated, and called as the action runner calls them.

A suite of its own: n8n takes minutes and 1.8 GB to install, so it is installed only where `BURNLINE_TEST_N8N=install` says so, and kept in the
user's cache. Its database is one of its own in the PostgreSQL of the Odoo lab.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from infra.settings import ActionSettings
from tests.integration.actions.test_conformance import Bench, failed
from tests.support.actions import LOOPBACK, SECRET, Receiver
from tests.support.ports import free_port
from tests.support.tools import folder_of, installed

HERE = Path(__file__).parent
RECIPE = [HERE / "package.json"]
FLOWS = Path(__file__).resolve().parents[3] / "infra" / "n8n"
OTHER = "whsec_" + "b" * 44
EXPECT = {"body": '"ok": *true'}
STARTS_WITHIN = 300
STEPS = "burnline-steps"
LEASE = 120
"""Seconds after which the workflows take whoever began a delivery for dead."""


pytestmark = [pytest.mark.odoo, pytest.mark.timeout(900)]  # installing and starting it are in there


@pytest.fixture(scope="module")
def program():
    """The path of n8n."""
    if os.environ.get("BURNLINE_TEST_N8N") == "install":
        folder = installed("n8n", RECIPE, ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"])
    elif not ((folder := folder_of("n8n", RECIPE)) / ".complete").exists():
        pytest.skip("n8n is not installed: run once with BURNLINE_TEST_N8N=install (3 minutes, 1.8 GB, Node 20)")
    if shutil.which("node") is None:
        pytest.skip("n8n needs node, which is not here")
    return folder / "node_modules" / ".bin" / "n8n"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Where the workflows keep the ids that they have seen."""
    return tmp_path_factory.mktemp("seen")


@pytest.fixture(scope="module")
def receiver():
    """Where the steps of a firm have their effect."""
    with Receiver() as made:
        yield made


def with_steps(url):
    """The workflow for a firm's own steps, with a step in it that has an effect: a request, with the id that came."""
    flow = json.loads((FLOWS / "alerts.json").read_text(encoding="utf-8"))
    [steps] = [node for node in flow["nodes"] if node["name"] == "Your steps"]
    steps |= {
        "type": "n8n-nodes-base.httpRequest",
        "typeVersion": 4.2,
        "parameters": {
            "method": "POST", "url": url, "sendBody": True, "specifyBody": "json", "options": {},
            "jsonBody": "={{ JSON.stringify({ id: $json.id }) }}",
        },
    }  # fmt: skip
    [alert] = [node for node in flow["nodes"] if node["name"] == "Alert"]
    alert["parameters"]["path"] = alert["webhookId"] = STEPS
    return json.dumps(flow | {"id": "burnlineSteps0001", "name": "Steps"})


@pytest.fixture(scope="module")
def n8n(program, real_odoo, tmp_path_factory, seen, receiver):
    """The address of an n8n that has the shipped workflows, and one of them with steps, all active."""
    database, port = f"n8n_{uuid.uuid4().hex[:12]}", free_port()
    place = urlsplit(real_odoo.pg_dsn)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("N8N_", "DB_"))} | {
        "DB_TYPE": "postgresdb",
        "DB_POSTGRESDB_HOST": place.hostname or "",
        "DB_POSTGRESDB_PORT": str(place.port),
        "DB_POSTGRESDB_USER": place.username or "",
        "DB_POSTGRESDB_PASSWORD": "none is asked for",
        "DB_POSTGRESDB_DATABASE": database,
        "N8N_USER_FOLDER": str(tmp_path_factory.mktemp("n8n")),
        "N8N_ENCRYPTION_KEY": uuid.uuid4().hex,
        "N8N_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_PORT": str(port),
        "N8N_DIAGNOSTICS_ENABLED": "false",
        "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
        "N8N_TEMPLATES_ENABLED": "false",
        "N8N_RUNNERS_ENABLED": "false",  # with `vm` below they want isolated-vm, which is not built here
        "N8N_EXPRESSION_ENGINE": "legacy",
        "N8N_BLOCK_ENV_ACCESS_IN_NODE": "false",
        "NODE_FUNCTION_ALLOW_BUILTIN": "crypto,fs",
        "BURNLINE_SEEN_FOLDER": str(seen),
        "BURNLINE_WEBHOOK_SECRET": f"{OTHER} {SECRET}",  # as while one replaces the other
    }

    def run(*args):
        done = subprocess.run([program, *args], env=env, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    real_odoo.sql(f"create database {database}")
    try:
        for flow in sorted(FLOWS.glob("*.json")):
            run("import:workflow", f"--input={flow}")
        own = tmp_path_factory.mktemp("flows") / "steps.json"
        own.write_text(with_steps(receiver.url("/effect")), encoding="utf-8")
        run("import:workflow", f"--input={own}")
        run("update:workflow", "--all", "--active=true")
        with running([program, "start"], env, f"http://127.0.0.1:{port}") as url:
            yield url
    finally:
        real_odoo.sql(f"drop database {database} with (force)")


@contextmanager
def running(command, env, url):
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + STARTS_WITHIN
            while not all(answers(f"{url}/webhook/{path}") for path in [*paths(), STEPS]):
                assert server.poll() is None, "n8n ended"
                assert time.monotonic() < deadline, "n8n did not start in time"
                time.sleep(0.5)
            yield url
        finally:
            server.terminate()


def paths():
    """The path of each shipped workflow."""
    flows = [json.loads(flow.read_text(encoding="utf-8")) for flow in sorted(FLOWS.glob("*.json"))]
    return [node["parameters"]["path"] for flow in flows for node in flow["nodes"] if node["type"].endswith(".webhook")]


def answers(url):
    """True once the workflow behind an address is active."""
    try:
        return post(url, b"{}", {})[0] == 401
    except OSError:
        return False


def post(url, body, headers):
    request = urllib.request.Request(url, body, {"content-type": "application/cloudevents+json", **headers})  # noqa: S310  our own address
    try:
        with urllib.request.urlopen(request, timeout=180) as answer:  # noqa: S310  as above
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"{}") if refused.code == 401 else {}


def signed(body, *, secret=SECRET, at=None, identity=None):
    at, identity = at or datetime.now(UTC), identity or str(uuid.uuid4())
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, at, body.decode()),
    }


def hook(url):
    settings = ActionSettings(timeout=30.0, allowed_networks=LOOPBACK, webhook_secrets={"n8n": SECRET})
    return Bench("webhook", {"actions": settings}, url=url, secret="n8n", expect=EXPECT)


def test_what_the_runner_sends_is_verified_and_taken(n8n):
    for path in paths():
        bench = hook(f"{n8n}/webhook/{path}")
        planned = bench.planned()

        assert bench.run(planned, planned) == ["HTTP 200", "HTTP 200"], path


def test_what_is_not_ours_is_refused(n8n):
    url, body = f"{n8n}/webhook/{paths()[0]}", b'{"data": {"text": "M\xc3\xbcller  & S\xc3\xb6hne"}}'
    headers = signed(body)
    fields = ("webhook-id", "webhook-timestamp", "webhook-signature")
    cases = {
        "another secret": (body, signed(body, secret="whsec_" + "c" * 44)),
        "a body that somebody changed": (body.replace(b"  &", b" &"), headers),
        "an old one, sent again": (body, signed(body, at=datetime.now(UTC) - timedelta(minutes=6))),
        "one of tomorrow": (body, signed(body, at=datetime.now(UTC) + timedelta(days=1))),
        "a time that is none": (body, headers | {"webhook-timestamp": "soon"}),
        "another id": (body, headers | {"webhook-id": "another"}),
        **{f"without {field}": (body, {name: headers[name] for name in fields if name != field}) for field in fields},
    }

    assert {case: post(url, *sent)[0] for case, sent in cases.items()} == dict.fromkeys(cases, 401)
    assert post(url, body, headers) == (200, {"ok": True})
    assert post(url, body, signed(body, secret=OTHER))[0] == 200


def effects(receiver, identity):
    return len([body for _, _, body in receiver.at("/effect") if body["id"] == identity])


def delivered(n8n, identity):
    """Status and body of the answer."""
    body = b'{"data": {}}'
    return post(f"{n8n}/webhook/{STEPS}", body, signed(body, identity=identity))


def test_a_delivery_that_comes_again_is_answered_and_not_done_again(n8n, receiver):
    identity = str(uuid.uuid4())

    first, *others = [delivered(n8n, identity) for _ in range(3)]
    assert first == (200, {"ok": True})
    assert others == [(200, {"ok": True, "reason": "it was done before"})] * 2
    assert effects(receiver, identity) == 1


def test_of_deliveries_that_come_at_once_each_is_done_once(n8n, receiver):
    ids = [str(uuid.uuid4()) for _ in range(5)]
    with ThreadPoolExecutor(10) as pool:
        statuses = {status for status, _ in pool.map(lambda identity: delivered(n8n, identity), [*ids, *ids])}
    assert statuses <= {200, 409}, "409 while the other is doing it"

    assert all(delivered(n8n, identity)[1]["ok"] for identity in ids)
    assert Counter(effects(receiver, identity) for identity in ids) == {1: 5}


def test_what_failed_is_done_when_it_comes_again(n8n, receiver, seen):
    identity = str(uuid.uuid4())
    receiver.answers["/effect"] = [(400, {})]

    assert delivered(n8n, identity) == (200, {}), (
        "n8n says 200 where a workflow fails; `expect` tells that from a success"
    )
    assert delivered(n8n, identity)[0] == 409, "nobody knows yet that it failed"
    [begun] = [file for file in seen.rglob("*") if file.is_file() and file.read_text(encoding="utf-8") == "begun"]
    long_ago = time.time() - LEASE - 1
    os.utime(begun, (long_ago, long_ago))
    assert [delivered(n8n, identity)[1]["ok"] for _ in range(2)] == [True, True]
    assert effects(receiver, identity) == 2, "the one that failed, and the one that did not"


def test_a_workflow_that_is_not_there_is_no_success(n8n):
    assert failed(hook(f"{n8n}/webhook/no-such-workflow")).reason == "HTTP 404"
