"""What a drill is made of: workers that are supervised, a steady flow of records, and the count of what came of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from infra.errors import Transient
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from schemas import codec
from streams.engine.failures import EXIT_TRANSIENT
from streams.engine.topology import SEPARATOR, partition_of
from tests.support import toy

SUBJECTS = 60
SESSION = 6.0
ROOT = Path(__file__).resolve().parents[2]


def until(condition: Callable[[], Any], what: str, *, timeout: float = 60.0) -> None:
    """Return once the condition holds; fail with `what` when it does not in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout:.0f} s: {what}"
        time.sleep(0.1)


class Workers:
    """Worker processes, each with an instance name of its own. Those that leave by themselves are started again."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, names: tuple[str, ...] = ("a", "b")) -> None:
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("BURNLINE_")},
            "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "BURNLINE_STREAMS__GROUP": f"{prefix}.group",
            "BURNLINE_STREAMS__DATA_DIR": str(folder / "data"),
            "BURNLINE_STREAMS__CHECKPOINT_EVERY": "1",  # so that those who are killed have a copy, and one that is old
            "BURNLINE_STREAMS__SESSION_TIMEOUT": str(SESSION),
            "BURNLINE_STREAMS__TRANSACTION_TIMEOUT": str(SESSION),
        }
        self._prefix, self._folder = prefix, folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.left: list[tuple[str, int]] = []
        for name in names:
            self.start(name)

    def start(self, name: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.support.toy_worker", self._prefix],
                env=self._environment | {"BURNLINE_STREAMS__INSTANCE": name},
                cwd=ROOT,
                stdin=subprocess.PIPE,  # its lifeline
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def supervise(self) -> None:
        """Start again who left by itself, and note with which status."""
        for name, process in list(self.processes.items()):
            status = process.poll()
            if status is not None:
                self._close(process)
                self.left.append((name, status))
                self.start(name)

    def kill(self, *names: str) -> None:
        """SIGKILL all of them, then start them again."""
        for name in names:
            self.processes[name].kill()
        for name in names:
            self.processes[name].wait()
            self._close(self.processes[name])
        for name in names:
            self.start(name)

    def end(self, name: str) -> int:
        """SIGTERM one for good; its exit status."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            return process.wait(30)
        finally:
            process.kill()
            process.wait()
            self._close(process)

    def told(self, name: str, event: str) -> bool:
        """Whether a worker has said so."""
        return event in (self._folder / f"{name}.log").read_text()

    def signal(self, name: str, number: signal.Signals) -> None:
        self.processes[name].send_signal(number)

    def stop(self) -> dict[str, int]:
        """SIGTERM all, and their exit statuses: 0, or the signal's own for one that was just being started, or 75."""
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        try:
            return {name: process.wait(20) for name, process in self.processes.items()}
        finally:
            for process in self.processes.values():
                process.kill()
                process.wait()
                self._close(process)

    def logs(self) -> str:
        return "\n".join(f"--- {file.name}\n{file.read_text()}" for file in sorted(self._folder.glob("*.log")))

    @staticmethod
    def _close(process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            process.stdin.close()


class Flow:
    """A steady flow of new records onto the source topic, each named by its number."""

    def __init__(self, kafka: KafkaSettings, prefix: str, per_second: int = 200) -> None:
        self._topic, self._pause = f"{prefix}.source", 10 / per_second
        # in a broker's outage the flow waits, it does not give up
        self._producer = producer(kafka, delivery_timeout_ms=120_000)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            for _ in range(10):
                name = f"r{self.sent}"
                value = codec.encode_wire(toy.ENTRY, toy.entry(subject_of(name), name))
                self._producer.produce(self._topic, value, name)
                self.sent += 1
            self._producer.poll(0)

    def end(self) -> int:
        """Stop, and the number of records that Kafka has acknowledged, which is all of them."""
        self._stop.set()
        self._thread.join()
        assert self._producer.flush(60) == 0, "the flow could not be written"
        return self.sent


def subject_of(record: str) -> str:
    return f"s{int(record[1:]) % SUBJECTS}"


def rows(kafka: KafkaSettings, topic: str) -> list[tuple[int, str, bytes]]:
    """Partition, key and value of every committed record."""
    return [
        (record.partition() or 0, (record.key() or b"").decode(), record.value() or b"")
        for record in read_to_end(kafka, topic)
    ]


def assert_exact(kafka: KafkaSettings, prefix: str, sent: int) -> None:
    """Nothing is missing from a state, and nothing missing or doubled in what a read_committed subscriber sees.

    A record reaches a state in a frame or, where that is near, without one: a frame may lack it, but never double it.
    """
    names = {f"r{number}" for number in range(sent)}
    for processor in toy.topology(prefix).processors:
        taken = Counter(
            entry["record"]
            for _, _, value in rows(kafka, processor.input)
            for _, entry in codec.decode_wire(value).value["entries"]
        )
        assert taken <= Counter(names), f"{processor.input}: {_difference(taken, names)}"
        state = rows(kafka, processor.state)
        remembered = Counter(record for _, key, _ in state for _, record in [key.split(SEPARATOR)])
        assert remembered == Counter(names), f"{processor.state}: {_difference(remembered, names)}"
        assert {tuple(key.split(SEPARATOR)) for _, key, _ in state} == {(subject_of(name), name) for name in names}
        partitions = toy.CLOCK.partitions
        assert all(p == partition_of(key.split(SEPARATOR)[0], partitions) for p, key, _ in state)
        last = {key: codec.decode_wire(value).value for _, key, value in rows(kafka, processor.measure.name)}
        counted = {key: measure["current"]["period_seconds"] for key, measure in last.items()}
        assert counted == Counter(subject_of(name) for name in names), processor.measure.name
    alerts = Counter(key for _, key, _ in rows(kafka, toy.topology(prefix).alerts.name))
    assert alerts == Counter(names), f"alerts: {_difference(alerts, names)}"
    assert rows(kafka, toy.topology(prefix).dead_letters.name) == []


def _difference(found: Mapping[str, int], names: set[str]) -> str:
    doubled = [name for name, times in found.items() if times > 1]
    return f"{len(names - set(found))} missing, {len(doubled)} doubled, such as {doubled[:3]}"


@contextmanager
def drill(
    bootstrap: str, prefix: str, folder: Path, names: tuple[str, ...] = ("a", "b")
) -> Iterator[tuple[KafkaSettings, Workers, Flow]]:
    """These workers on a steady flow. After the body the flow ends, and everything must have arrived exactly once."""
    kafka = KafkaSettings(bootstrap_servers=bootstrap)
    declared = toy.topics(prefix)
    topics.apply(kafka, topics.plan(kafka, declared), declared)
    workers = Workers(bootstrap, prefix, folder, names)
    flow = Flow(kafka, prefix)
    try:
        arrived(kafka, prefix, workers, 1)
        yield kafka, workers, flow
        sent = flow.end()
        arrived(kafka, prefix, workers, sent)
    except BaseException:
        print(workers.logs())
        raise
    finally:
        with suppress(AssertionError):
            flow.end()
        statuses = workers.stop()
    assert set(statuses.values()) <= {0, -signal.SIGTERM, EXIT_TRANSIENT}, (
        f"a worker did not leave in order: {statuses}\n{workers.logs()}"
    )
    assert_exact(kafka, prefix, sent)


def topics_made(kafka: KafkaSettings) -> bool:
    """Whether all topics are there. A broker that just began takes its time to give hundreds of partitions their leaders."""
    try:
        topics.apply(kafka, topics.plan(kafka))
    except Transient:
        return False
    return True


def arrived(kafka: KafkaSettings, prefix: str, workers: Workers, count: int) -> None:
    """Wait until so many records have come to the end of the chain, keeping the workers alive."""

    def there() -> bool:
        workers.supervise()
        try:
            return len({key for _, key, _ in rows(kafka, f"{prefix}.second-state")}) >= count
        except Transient:
            return False

    until(there, f"{count} records at the end of the chain", timeout=90)
