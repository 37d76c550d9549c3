"""Drill: Kafka is away and the webhook server is killed, while senders go on. Nothing that was answered with 202 may be missing, each
record's events are in the order in which they were told, and what is there twice is the same to the last byte.

`BURNLINE_TEST_OUTAGE` is how many seconds Kafka is away: few in every run, 600 for the real thing (`pytest tests/drills/test_webhooks.py`).
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from infra.embedded_kafka import EmbeddedKafka
from infra.kafka import topics
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from producers.core.webhook_signature import signature
from schemas import codec
from tests.support.drill import ROOT, until
from tests.support.ports import free_port

pytestmark = [pytest.mark.drill, pytest.mark.kafka]
OUTAGE = float(os.environ.get("BURNLINE_TEST_OUTAGE", "5"))
KEY, TOKEN = b"k" * 32, "t" * 43
SENDERS, INVOICES = 3, 4
PAUSE = 0.02


class Server:
    """The real program, on one port and one spool, whichever process it is."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.url, self._log = f"http://127.0.0.1:{(port := free_port())}", folder / "webhooks.log"
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("BURNLINE_", "ODOO_"))},
            "ODOO_URL": "http://127.0.0.1:1",
            "ODOO_DB": "firm",
            "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "BURNLINE_WEBHOOKS__PORT": str(port),
            "BURNLINE_WEBHOOKS__SPOOL_DIR": str(folder / "spool"),
            "BURNLINE_WEBHOOKS__SOURCES": json.dumps({"helpdesk": base64.b64encode(KEY).decode()}),
            "BURNLINE_WEBHOOKS__ODOO_TOKEN": TOKEN,
            "BURNLINE_WEBHOOKS__ODOO_ACK_TIMEOUT": "0.9",
        }
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "burnline", "webhooks"]
            self._process = subprocess.Popen(command, env=self._environment, cwd=ROOT, stdout=log, stderr=log)
        until(lambda: self.waiting_bytes() is not None, "the server answers")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def waiting_bytes(self) -> int | None:
        """None while it does not answer."""
        assert self._process.poll() is None, self._log.read_text()
        try:
            return int(httpx.get(f"{self.url}/ready", timeout=10).json()["waiting_bytes"])
        except httpx.TransportError:
            return None


class Senders:
    """Senders as they are: each tells of its invoices, one message after the other, again and again until it hears 202. Odoo says it once."""

    def __init__(self, url: str) -> None:
        self._url, self._done = url, threading.Event()
        self.told: dict[int, list[str]] = defaultdict(list)
        """The reasons that each invoice's messages carry, in order, once they were accepted."""
        self.hinted: list[int] = []
        work = [self._helpdesk] * SENDERS + [self._odoo]
        self._threads = [threading.Thread(target=one, args=(number,)) for number, one in enumerate(work)]
        for thread in self._threads:
            thread.start()

    def _helpdesk(self, number: int) -> None:
        with httpx.Client(timeout=10) as client:
            for message in range(1_000_000):
                if self._done.wait(PAUSE):
                    return
                invoice = number * 1000 + message % INVOICES + 1
                now, delivery, reason = datetime.now(UTC), f"msg_{number}_{message}", f"{message:08d}"
                data = {"invoice_id": invoice, "reason": reason, "opened_on": "2026-01-02"}
                body = json.dumps({"type": "dispute.updated", "timestamp": now.isoformat(), "data": data}).encode()
                while self._post(client, delivery, body) != 202:
                    time.sleep(0.1)
                self.told[invoice].append(reason)

    def _post(self, client: httpx.Client, delivery: str, body: bytes) -> int | None:
        at = str(int(time.time()))
        headers = {
            "content-type": "application/json",
            "webhook-id": delivery,
            "webhook-timestamp": at,
            "webhook-signature": signature(KEY, delivery, at, body),
        }
        try:
            return client.post(f"{self._url}/webhooks/helpdesk", content=body, headers=headers).status_code
        except httpx.TransportError:
            return None

    def _odoo(self, _number: int) -> None:
        with httpx.Client(timeout=1) as client:
            for record in range(1, 1_000_000):
                if self._done.wait(PAUSE):
                    return
                try:
                    answer = client.post(f"{self._url}/odoo/{TOKEN}", json={"_model": "project.task", "_id": record})
                except httpx.TransportError:
                    continue
                if answer.status_code == 202:
                    self.hinted.append(record)

    def count(self) -> int:
        return sum(map(len, self.told.values()))

    def stop(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def at_work(broker: EmbeddedKafka, port: int, folder: Path) -> Iterator[tuple[Server, Senders]]:
    broker.start()
    try:
        kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}")
        topics.apply(kafka, topics.plan(kafka))
        server = Server(f"127.0.0.1:{port}", folder)
        senders = Senders(server.url)
        try:
            yield server, senders
        finally:
            senders.stop()
            server.kill()
    finally:
        broker.stop()


@pytest.mark.timeout(300 + 2 * OUTAGE)
def test_kafka_away_and_the_server_killed_lose_nothing_and_keep_the_order(tmp_path: Path) -> None:
    port = free_port()
    broker = EmbeddedKafka(tmp_path / "kafka", port=port)
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}")
    with at_work(broker, port, tmp_path) as (server, senders):

        def go_on() -> None:
            before = senders.count()
            until(lambda: senders.count() > before + 20, "senders are answered")

        go_on()
        broker.kill()
        until_then = time.monotonic() + OUTAGE
        go_on()
        server.kill()  # with Kafka away
        server.start()
        go_on()
        while time.monotonic() < until_then:
            go_on()
        assert server.waiting_bytes()
        broker.start()
        go_on()
        for _ in range(2):
            server.kill()  # while it sends what has waited
            server.start()
            go_on()
        senders.stop()
        until(lambda: server.waiting_bytes() == 0, "the spool is empty", timeout=120)

        found: dict[int, list[str]] = defaultdict(list)
        contents: dict[str, bytes] = {}
        for record in read_to_end(kafka, "finance.dispute.v1"):
            event = codec.decode(record.value() or b"").value
            identity, current = event["meta"]["event_id"], event["current"]
            assert contents.setdefault(identity, record.value() or b"") == record.value(), "one id, two contents"
            if current["reason"] not in found[current["invoice_id"]]:  # sent again after a kill
                found[current["invoice_id"]].append(current["reason"])
        hints = {
            codec.decode(r.value() or b"").value["current"]["record_id"] for r in read_to_end(kafka, "ops.webhook.v1")
        }
    assert found == senders.told
    assert set(senders.hinted) <= hints
    assert senders.count() > 100
