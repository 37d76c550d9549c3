"""The capture's drill: people work in a real Odoo while capture, Odoo, PostgreSQL and Kafka are killed; in the end nothing differs.

Consultants and bookkeepers create, edit, edit in masses, post, pay, credit, dispute, archive and delete, hold transactions open for longer than the
overlap, and roll back. In the end `burnline audit` finds nothing, and neither does a comparison in SQL on Odoo's own database, which shares no code
with the capture. `make drills` runs two minutes of it; here each fault comes once.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.embedded_kafka import EmbeddedKafka
from infra.errors import BurnlineError, Transient
from infra.kafka import topics
from infra.settings import KafkaSettings
from tests.support.capture_truth import Seen, differences
from tests.support.drill import until
from tests.support.firm_at_work import NEVER, NEVER_DUE, OVERLAP, Firm
from tests.support.odoo_lab import OwnLab
from tests.support.ports import free_port

pytestmark = [pytest.mark.drill, pytest.mark.odoo, pytest.mark.kafka]
ROOT = Path(__file__).resolve().parents[2]
SECONDS = float(os.environ.get("BURNLINE_TEST_DRILL_SECONDS", "120"))
DIFFERENCES_FOUND = 1
ENOUGH = ("create", "edit", "delete", "rollback", "invoice", "post", "pay", "credit", "dispute")


class Capture:
    """`burnline capture` in a process of its own, started again whenever it has ended."""

    def __init__(self, lab: OwnLab, kafka: KafkaSettings, log: Path) -> None:
        self._log = log.open("ab")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))},
            "ODOO_URL": lab.url,
            "ODOO_DB": lab.db,
            "ODOO_PASSWORD": lab.password,
            "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers or "",
            "BURNLINE_ODOO__TIMEOUT": "15",
            "BURNLINE_CAPTURE__OVERLAP": str(OVERLAP),
            "BURNLINE_CAPTURE__SWEEP_INTERVAL": "1",
            "BURNLINE_CAPTURE__CONTENT_EVERY": "5",
        }
        self._process = self._start()
        self.ended: list[int] = []

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "burnline", "capture"]
        return subprocess.Popen(command, env=self._environment, cwd=ROOT, stdout=self._log, stderr=self._log)

    def audit(self) -> list[Any]:
        """What `burnline audit` says of this Odoo; nothing where it could not be carried out for the moment."""
        command = [sys.executable, "-m", "burnline", "audit", "--json"]
        done = subprocess.run(
            command, env=self._environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode in {0, DIFFERENCES_FOUND, 3}, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode != 3 else []

    def supervise(self) -> None:
        """Start it again if it ended by itself, which it may while Odoo or Kafka is away."""
        status = self._process.poll()
        if status is not None:
            self.ended.append(status)
            self._process = self._start()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


@pytest.fixture
def lab(tmp_path: Path, real_odoo: Any) -> Iterator[OwnLab]:
    """The shared lab is only what this one's program is taken from."""
    made = OwnLab(tmp_path / "lab", Path(os.environ.get("ODOO_LAB", Path.home() / ".cache" / "odoo-lab")))
    try:
        made.up()
        yield made
    finally:
        made.close()


def made(kafka: KafkaSettings) -> bool:
    """All topics, with leaders; a broker that has just started may need several attempts."""
    try:
        topics.apply(kafka, topics.plan(kafka))
    except Transient:
        return False
    return True


def settled(capture: Capture, lab: OwnLab, kafka: KafkaSettings) -> None:
    """Wait until what was seen equals what there is; tell what differs when it does not."""

    def same() -> bool:
        capture.supervise()
        try:
            return not differences(lab, kafka)
        except BurnlineError:
            return False  # a partition without a leader, for a moment

    try:
        until(same, "what was seen equals what there is", timeout=150)
    except AssertionError:
        print(*differences(lab, kafka)[:20], sep="\n")
        raise


def audited(capture: Capture) -> dict[str, Any]:
    """The summary of a clean audit. What changed without a stamp is seen by the sweep that compares every record: until then it may differ."""
    said: list[Any] = []

    def clean() -> bool:
        capture.supervise()
        said[:] = capture.audit()
        return bool(said) and said[-1]["clean"]

    try:
        until(clean, "an audit finds nothing", timeout=150)
    except AssertionError:
        print(*said[-60:], sep="\n")
        raise
    assert not [one for one in said if one["type"] == "difference"]
    assert [one for one in said if one["type"] == "ledger"]
    assert not [one for one in said if one["type"] == "ledger" and not one["agrees"]]
    summary: dict[str, Any] = said[-1]
    return summary


def assert_each_once(seen: Seen) -> None:
    assert all(len(contents) == 1 for contents in seen.raw.values()), "one id with two contents"
    assert len(seen.raw) == seen.count, "one event twice"
    for key, events in seen.by_key.items():
        assert [event["meta"]["version"] for event in events] == list(range(1, len(events) + 1)), key
        for state in (event["current"] or {} for event in events):
            assert state.get("minutes") != NEVER * 60, f"{key}: what was rolled back was told"
            assert state.get("total") != NEVER, f"{key}: what was rolled back was told"
            assert str(state.get("due_date")) != NEVER_DUE, f"{key}: what was rolled back was told"


@pytest.mark.timeout(int(SECONDS) + 600)
def test_nothing_differs_after_each_of_them_was_killed(tmp_path: Path, lab: OwnLab) -> None:
    seed = random.randrange(1 << 30)  # noqa: S311  printed, so that a failure can be repeated as far as chance allows
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311  as above
    with EmbeddedKafka(tmp_path / "kafka", port=free_port()) as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        until(lambda: made(kafka), "the topics")
        capture = Capture(lab, kafka, tmp_path / "capture.log")

        def odoo() -> None:
            lab.kill_odoo()
            lab.up()

        def postgres() -> None:
            lab.kill_postgres()
            lab.up()

        def kafka_down() -> None:
            broker.kill()
            time.sleep(chance.uniform(0.0, 2.0))
            broker.start()

        faults: list[Callable[[], None]] = [capture.kill, odoo, postgres, kafka_down]
        people = Firm(lab, chance)
        try:
            begun = time.monotonic()
            came = 0
            while came < len(faults) or time.monotonic() < begun + SECONDS:
                if came % len(faults) == 0:
                    chance.shuffle(faults)
                time.sleep(chance.uniform(1.0, 5.0))
                capture.supervise()
                faults[came % len(faults)]()
                came += 1
            until(
                lambda: all(people.done[kind] for kind in ENOUGH), "people did a bit of everything", timeout=240
            )  # while servers are down little is done
            people.end()
            print(f"{came} faults in {time.monotonic() - begun:.0f} s")
            settled(capture, lab, kafka)
            print(f"nothing differs after {time.monotonic() - begun:.0f} s")
            summary = audited(capture)
            print(f"audited after {time.monotonic() - begun:.0f} s: {summary}")
        except BaseException:
            print((tmp_path / "capture.log").read_text()[-6000:])
            raise
        finally:
            people.end()
            capture.close()
        seen = Seen(kafka, lab.db)
        print(f"{seen.count} events, {dict(people.done)}, capture ended {capture.ended}")
        assert_each_once(seen)
        assert not differences(lab, kafka)
        assert (summary["hidden"], summary["unmapped"], summary["unreadable"]) == (0, 0, 0)
        assert people.done["held, commit"] + people.done["held, rollback"]
