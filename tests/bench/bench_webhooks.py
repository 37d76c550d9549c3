"""How many signed posts the intake takes, and how fast it answers: HTTP to the disk to Kafka, all of it.

    python -m tests.bench.bench_webhooks [--posts 20000] [--seconds 10] [--json]

A server in a process of its own, a broker of its own, and this process as the senders: 64 connections that each post as soon as they are
answered; then posts at 500 a second, whether those before are answered or not, timed from when they were due. Each post is another
dispute, signed beforehand. Senders, server and broker share the machine's cores, perhaps with others: what each used is told, too, as CPU seconds per million posts,
and what would pass if two cores were theirs. `through` counts until all in-sync replicas have every record of every post, `answered`
until every sender has its 202.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from infra.embedded_kafka import EmbeddedKafka
from infra.kafka import topics
from infra.kafka.reader import end_offsets
from infra.logs import configure
from infra.settings import KafkaSettings
from producers.core.webhook_signature import signature
from schemas.topics import PARTITIONS

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
CONNECTIONS = 64
PER_SECOND = 500
SERVER = """
import sys
from infra.logs import configure
from infra.settings import Settings, KafkaSettings, WebhookSettings
from producers.webhooks import serve
configure("warning")
kafka, spool, secret = sys.argv[1:]
webhooks = WebhookSettings(port=0, spool_dir=spool, sources={"helpdesk": secret}, rate=1_000_000)
settings = Settings(kafka=KafkaSettings(bootstrap_servers=kafka), webhooks=webhooks)
serve(settings, database="firm", on_listening=lambda port: print(port, flush=True))
"""


def request(number: int) -> bytes:
    """A signed post of a dispute of an invoice of its own."""
    at = datetime.now(UTC)
    data = {"invoice_id": number + 1, "amount": "1250.50", "currency": "EUR", "reason": "hours not agreed"}
    body = json.dumps({"type": "dispute.opened", "timestamp": at.isoformat(), "data": data}).encode()
    stamp, delivery = str(int(at.timestamp())), f"msg_{number:026d}"
    head = (
        "POST /webhooks/helpdesk HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nwebhook-id: {delivery}\r\nwebhook-timestamp: {stamp}\r\n"
        f"webhook-signature: {signature(KEY, delivery, stamp, body)}\r\n\r\n"
    )
    return head.encode() + body


class Sender(asyncio.Protocol):
    """One connection: posts one request after the other, and says when each is answered. Answers have no body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self._answered = transport, asyncio.get_running_loop().create_future()
        self._read = b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._read.endswith(b"\r\n\r\n"):
            status, self._read = self._read[9:12], b""
            self._answered.set_result(int(status))

    async def post(self, wire: bytes) -> None:
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(wire)
        status = await self._answered
        assert status == 202, status


async def connected(port: int, count: int) -> list[Sender]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Sender, "127.0.0.1", port))[1] for _ in range(count)]


async def flood(port: int, posts: list[bytes]) -> float:
    """Seconds until all posts are answered, each connection posting as fast as it is answered."""
    left = iter(posts)

    async def work(sender: Sender) -> None:
        for wire in left:
            await sender.post(wire)

    senders = await connected(port, CONNECTIONS)
    begun = time.perf_counter()
    await asyncio.gather(*(work(sender) for sender in senders))
    elapsed = time.perf_counter() - begun
    for sender in senders:
        sender.transport.close()
    return elapsed


async def steady(port: int, posts: list[bytes]) -> list[float]:
    """Seconds from when each post was due until it was answered."""
    free: asyncio.Queue[Sender] = asyncio.Queue()
    for sender in await connected(port, CONNECTIONS):
        free.put_nowait(sender)
    took: list[float] = []

    async def one(wire: bytes, due: float) -> None:
        sender = await free.get()
        await sender.post(wire)
        took.append(time.perf_counter() - due)
        free.put_nowait(sender)

    begun, tasks = time.perf_counter(), []
    for number, wire in enumerate(posts):
        due = begun + number / PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(wire, due)))
    await asyncio.gather(*tasks)
    return took


@contextmanager
def server(bootstrap: str, spool: Path) -> Iterator[tuple[int, psutil.Process]]:
    command = [sys.executable, "-c", SERVER, bootstrap, str(spool), SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def arrived(kafka: KafkaSettings, count: int) -> None:
    """Return once Kafka has so many disputes."""
    while sum(end for _, end in end_offsets(kafka, "finance.dispute.v1", range(PARTITIONS)).values()) < count:
        time.sleep(0.01)


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(posts: int, seconds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(Path(folder) / "kafka") as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        topics.apply(kafka, topics.plan(kafka))
        with server(broker.bootstrap_servers, Path(folder) / "spool") as (port, process):
            warm, first = 1000, 1000 + posts
            asyncio.run(flood(port, [request(number) for number in range(warm)]))
            arrived(kafka, warm)
            wires = [request(number) for number in range(warm, first)]
            parts = {"server": process, "senders": psutil.Process(), "broker": psutil.Process(broker.pid)}
            used, begun = {name: cpu(part) for name, part in parts.items()}, time.perf_counter()
            answered = asyncio.run(flood(port, wires))
            arrived(kafka, first)
            through = time.perf_counter() - begun
            used = {name: round((cpu(part) - used[name]) / posts * 1e6) for name, part in parts.items()}
            wires = [request(number) for number in range(first, first + seconds * PER_SECOND)]
            took = asyncio.run(steady(port, wires))
    cuts = statistics.quantiles(took, n=1000)
    return {
        "posts_a_second_answered": round(posts / answered),
        "posts_a_second_through": round(posts / through),
        "cpu_seconds_per_million": used,
        "posts_a_second_on_two_cores": round(2e6 / sum(used.values())),
        f"answer_ms_at_{PER_SECOND}_a_second": {
            "p50": round(cuts[499] * 1000, 2),
            "p99": round(cuts[989] * 1000, 2),
            "max": round(max(took) * 1000, 2),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    configure("warning")
    found = measure(options.posts, options.seconds)
    print(json.dumps(found) if options.json else json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
