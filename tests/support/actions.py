"""What tests of actions are made of: a firm's alerts and policy, receivers that keep what they saw, and runners, in threads or processes."""

import base64
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

from consumers.actions import run
from infra.errors import Transient
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import end_offsets, read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import ActionSettings, KafkaSettings, Settings
from schemas import codec
from tests.support.alerts import ALERTS, alert
from tests.support.at_work import at_work

SECRET = "whsec_" + base64.b64encode(b"a" * 32).decode()
LOOPBACK = ("127.0.0.0/8",)
ENDED = {"succeeded", "abandoned", "uncertain", "suppressed"}
RUNNER = """
import json, sys, threading
from consumers.actions import run
from infra import logs
from infra.settings import load_settings
settings = load_settings()
logs.configure(settings.log_level)
run(settings, json.loads(sys.argv[1]), settings.odoo if settings.odoo.url else None, threading.Event())
"""


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def prepared(kafka_bootstrap):
    """Settings for a broker that has the topics, and leaders for them, which topics that were just made lack for a moment."""
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap)

    def have_leaders():
        try:
            topics.apply(settings, topics.plan(settings))
            return [
                end_offsets(settings, name, range(6))
                for name in ("governance.alert.v1", "governance.action.v1", "ops.dead-letter.v1")
            ]
        except Transient:
            return False

    wait_for(have_leaders, 120)
    return settings


class Receiver:
    """An HTTP server that verifies every delivery that is signed and answers what it is told to, by path; what it saw, it keeps.

    An answer is a status, headers, and perhaps a body; the status `hold` waits until `release` is set.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0):
        self.seen = []
        self.answers = {}
        self.default = (200, {}, b"ok")
        self.held = threading.Event()
        self.release = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if "webhook-id" in self.headers:
                    Webhook(SECRET).verify(body, dict(self.headers))
                receiver.seen.append((self.path, self.headers.get("webhook-id"), json.loads(body)))
                script = receiver.answers.get(self.path, [])
                status, headers, *rest = script.pop(0) if script else receiver.default
                if status == "hold":
                    receiver.held.set()
                    receiver.release.wait(60)
                    status = 200
                content = rest[0] if rest else b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except (BrokenPipeError, ConnectionResetError):  # the sender was killed, or did not wait
                    self.close_connection = True

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                """A sender that breaks the connection off is what these tests are about."""

        self.server = Server(("127.0.0.1", port), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.scheme = "http" if tls is None else "https"
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def url(self, path, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def at(self, path):
        return [entry for entry in list(self.seen) if entry[0] == path]


class Firm:
    """One test's alerts, policy and group: others on the same broker do not concern it."""

    def __init__(self, kafka):
        self.kafka = kafka
        self.id = uuid.uuid4().hex
        self.rule = f"test-{self.id}.hours"
        self.now = datetime.now(UTC)
        """When its alerts occur, unless a test says another time: news, to a runner."""

    def settings(self, **changed):
        quick = {
            "schedule": (0.05, 0.1),
            "timeout": 2.0,
            "allowed_networks": LOOPBACK,
            "group": f"test.actions-{self.id}",
        }
        secrets = {"webhook_secrets": {"n8n": SECRET}}
        more = {name: changed.pop(name) for name in ("mail",) if name in changed}
        return Settings(kafka=self.kafka, actions=ActionSettings(**(quick | secrets | changed)), **more)

    def policy(self, *targets):
        when = {"rule": f"test-{self.id}.*"}
        return {"actions": {"rules": [{"name": "test", "owner": "owners", "when": when, "then": list(targets)}]}}

    def publish(self, *events):
        writer = EventWriter(producer(self.kafka))
        for event in events:
            writer.send(ALERTS, event)
        writer.flush()

    def alert(self, subject=None, **changed):
        return alert(
            subject or f"odoo:firm:project.project:{uuid.uuid4().int % 10**9}",
            **({"rule": self.rule, "occurred_at": self.now} | changed),
        )

    def actions(self, event):
        """Status, attempt and detail of every step about an alert, in order of time: what people decided has keys, and so partitions, of its own."""
        identity = event["current"]["alert_id"]
        steps = [codec.decode(r.value()).value for r in read_to_end(self.kafka, "governance.action.v1")]
        steps.sort(key=lambda step: step["meta"]["recorded_at"])
        return [step["current"] for step in steps if step["current"]["alert_id"] == identity]

    def statuses(self, event):
        return [step["status"] for step in self.actions(event)]

    def ended(self, *events):
        return wait_for(lambda: all(ENDED & set(self.statuses(event)) for event in events))

    def letters(self, event):
        """The dead letters about an alert."""
        found = [codec.decode(r.value()).value for r in read_to_end(self.kafka, "ops.dead-letter.v1")]
        return [letter for letter in found if letter["meta"]["causation_id"] == event["meta"]["event_id"]]


def acting(settings, config, odoo=None):
    """A runner in a thread; what it raised is raised in the end."""
    return at_work(lambda stop: run(settings, config, odoo, stop))


@contextmanager
def process(firm, config, program=RUNNER, **env):
    """A runner as a process of its own; `env` adds variables, named without `BURNLINE_ACTIONS__` or in full."""
    names = {
        "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": firm.kafka.bootstrap_servers,
        "BURNLINE_ACTIONS__GROUP": f"test.actions-{firm.id}",
        "BURNLINE_ACTIONS__WEBHOOK_SECRETS__N8N": SECRET,
        "BURNLINE_ACTIONS__TIMEOUT": "60",
        "BURNLINE_ACTIONS__ALLOWED_NETWORKS": json.dumps(LOOPBACK),
        "BURNLINE_ACTIONS__SESSION_TIMEOUT": "6",
        "BURNLINE_ACTIONS__SCHEDULE": "[0.05, 0.1]",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))}
    started = subprocess.Popen([sys.executable, "-c", program, json.dumps(config)], env=inherited | names | env)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def hook(receiver, path, **changed):
    return {"target": "webhook", "url": receiver.url(path), "secret": "n8n", **changed}
