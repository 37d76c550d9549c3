"""How fast alerts become actions: the latency to a webhook and to an activity in a real Odoo, the rate of one core, and what a hanging target costs.

The runner is a process of its own on one core; broker and receiver are beside it. Odoo is measured where ODOO_URL names one.

    webhook_p99_ms          from handing an alert to Kafka until a receiver has the request, 20 alerts a second
    odoo_p99_ms             from handing an alert to Kafka until Odoo has answered that the activity is there, 5 alerts a second
    actions_per_s           alerts that wait on the topic, to one fast receiver, in order per subject
    cpu_seconds_per_1000    of the runner, for those
    hanging_ratio           rate to a fast receiver while another hangs, over the rate while that one is fast too
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from infra.embedded_kafka import EmbeddedKafka
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.odoo import connect
from infra.settings import OdooSettings
from schemas import codec
from tests.support.actions import Firm, prepared, process, wait_for
from tests.support.alerts import ALERTS

SUBJECTS = 500
ROOT = Path(__file__).resolve().parents[2]


class Publisher:
    """One producer for all alerts: making one is no part of what is measured."""

    def __init__(self, firm: Firm) -> None:
        self._writer = EventWriter(producer(firm.kafka, linger_ms=0))
        self.sent: dict[str, float] = {}

    def publish(self, *events: Any) -> None:
        for event in events:
            self.sent[event["meta"]["event_id"]] = time.time()
            self._writer.send(ALERTS, event)
        self._writer.flush()


class FastReceiver:
    """The receiver's process, and what it saw."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.fast_receiver"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._line())
        self.seen: list[tuple[str, str, str, float]] = []

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def look(self, path: str) -> list[tuple[str, str, str, float]]:
        """All that came at a path so far."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.seen += [tuple(entry) for entry in json.loads(self._line())]
        return [entry for entry in self.seen if entry[0] == path]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def percentiles(milliseconds: list[float], name: str) -> dict[str, float]:
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return {f"{name}_p50_ms": round(cuts[49], 1), f"{name}_p99_ms": round(cuts[98], 1)}


def hook(receiver: FastReceiver, path: str) -> dict[str, Any]:
    return {"target": "webhook", "url": f"http://127.0.0.1:{receiver.port}{path}", "secret": "n8n"}


@contextmanager
def runner(firm: Firm, config: dict[str, Any], **env: str) -> Iterator[psutil.Process]:
    """The runner, on one core."""
    with process(firm, config, BURNLINE_ACTIONS__TIMEOUT="15", BURNLINE_LOG_LEVEL="warning", **env) as started:
        own = psutil.Process(started.pid)
        own.cpu_affinity([0])
        yield own


def warmed(firm: Firm, is_there: Callable[[str], bool]) -> None:
    """Return once the runner is at work: a first alert has arrived."""
    first = firm.alert()
    firm.publish(first)
    wait_for(lambda: is_there(first["meta"]["event_id"]), 120)


def webhook_latency(firm: Firm, receiver: FastReceiver, count: int) -> dict[str, float]:
    publisher = Publisher(firm)
    sent = publisher.sent
    with runner(firm, firm.policy(hook(receiver, "/latency"))):
        warmed(firm, lambda identity: any(entry[1] == identity for entry in receiver.look("/latency")))
        for _ in range(count):
            publisher.publish(firm.alert())
            time.sleep(0.05)
        wait_for(lambda: sent.keys() <= {entry[1] for entry in receiver.look("/latency")}, 120)
    arrived = {identity: at for _, identity, _, at in receiver.look("/latency")}
    return percentiles([(arrived[identity] - at) * 1000 for identity, at in sent.items()], "webhook")


def rate(firm: Firm, receiver: FastReceiver, count: int) -> dict[str, float]:
    events = [firm.alert(f"odoo:firm:project.project:{n % SUBJECTS}", episode=n) for n in range(count)]
    firm.publish(*events)
    with runner(firm, firm.policy(hook(receiver, "/rate"))) as own:
        wait_for(lambda: receiver.look("/rate"), 120)
        begun = sum(own.cpu_times()[:2])
        before = len(receiver.look("/rate"))
        wait_for(lambda: len({entry[1] for entry in receiver.look("/rate")}) == count, 300)
        cpu = sum(own.cpu_times()[:2]) - begun
    arrived = receiver.look("/rate")
    order = defaultdict(list)
    for _, identity, subject, _ in arrived:
        order[subject].append(identity)
    wanted = defaultdict(list)
    for event in events:
        wanted[event["meta"]["subject"]].append(event["meta"]["event_id"])
    assert order == wanted, "the order within a subject was not kept"
    return {
        "actions_per_s": round(_rate([at for *_, at in arrived])),
        "cpu_seconds_per_1000": round(cpu / (count - before) * 1000, 2),
    }


def _rate(times: list[float]) -> float:
    """Arrivals a second between the first and the last tenth, which have the start and the end in them."""
    ordered = sorted(times)
    begin, end = len(ordered) // 10, len(ordered) * 9 // 10
    return (end - begin) / (ordered[end] - ordered[begin])


def hanging(kafka: Any, receiver: FastReceiver, count: int) -> dict[str, float]:
    """Half of the alerts go to one receiver, half to another; the first is fast, then it hangs."""
    rates: dict[str, float] = {}
    for name in ("fast", "hang"):
        firm = Firm(kafka)
        rules = [
            {
                "name": which,
                "owner": "o",
                "when": {"rule": f"test-{firm.id}.{which}"},
                "then": [hook(receiver, f"/{path}-{firm.id}")],
            }
            for which, path in (("one", name), ("other", "fast-other"))
        ]
        kinds = [f"test-{firm.id}.{which}" for which in ("one", "other")]
        firm.publish(*(firm.alert(rule=kind) for _ in range(count) for kind in kinds))
        path = f"/fast-other-{firm.id}"
        with runner(firm, {"actions": {"rules": rules}}):
            wait_for(lambda path=path: len(receiver.look(path)) >= count, 300)
        rates[name] = _rate([at for *_, at in receiver.look(path)])
    return {"hanging_ratio": round(rates["hang"] / rates["fast"], 2)}


def odoo_latency(firm: Firm, odoo: OdooSettings, count: int) -> dict[str, float]:
    client = connect(odoo)
    projects = client.call("project.project", "create", vals_list=[{"name": f"bench {n}"} for n in range(10)])
    names = {
        "ODOO_URL": odoo.url,
        "ODOO_DB": odoo.db,
        "ODOO_USER": odoo.user,
        "ODOO_PASSWORD": os.environ["ODOO_PASSWORD"],
    }
    publisher = Publisher(firm)
    sent = publisher.sent

    def done() -> dict[str, float]:
        steps = [codec.decode(r.value() or b"").value for r in read_to_end(firm.kafka, "governance.action.v1")]
        return {
            step["meta"]["causation_id"]: step["meta"]["recorded_at"].timestamp()
            for step in steps
            if step["current"]["status"] == "succeeded"
        }

    try:
        with runner(firm, firm.policy({"target": "odoo_activity"}), **names):
            about = [f"odoo:{client.database}:project.project:{project}" for project in projects]
            first = firm.alert(about[0], level="warm")
            firm.publish(first)
            wait_for(lambda: first["meta"]["event_id"] in done(), 120)
            for n in range(count):
                publisher.publish(firm.alert(about[n % len(about)], episode=n + 1))
                time.sleep(0.2)
            wait_for(lambda: sent.keys() <= done().keys(), 120)
    finally:
        client.call("project.project", "unlink", projects)
    found = done()
    return percentiles([(found[identity] - at) * 1000 for identity, at in sent.items()], "odoo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--alerts", type=int, default=5000, help="for the rate; the latencies take a twentieth of it")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    receiver = FastReceiver()
    figures: dict[str, float | None] = {}
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder) / "kafka") as broker:
        kafka = prepared(broker.bootstrap_servers)
        try:
            figures |= webhook_latency(Firm(kafka), receiver, args.alerts // 20)
            figures |= rate(Firm(kafka), receiver, args.alerts)
            figures |= hanging(kafka, receiver, args.alerts // 2)
            if os.environ.get("ODOO_URL"):
                given = {"url": "ODOO_URL", "db": "ODOO_DB", "user": "ODOO_USER", "password": "ODOO_PASSWORD"}
                odoo = OdooSettings(**{k: os.environ[v] for k, v in given.items() if v in os.environ})  # type: ignore[arg-type]
                figures |= odoo_latency(Firm(kafka), odoo, args.alerts // 40)
            else:
                figures["odoo_p99_ms"] = None
        finally:
            receiver.close()
    if args.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>22} {value}")


if __name__ == "__main__":
    main()
