"""The capture's drill: people work in a real Odoo while capture, Odoo, PostgreSQL and Kafka are killed; in the end nothing differs.

Writers create, edit, edit in masses, archive and delete, hold transactions open for longer than the overlap, and roll back. The comparison is SQL
on Odoo's own database against what a subscriber of committed records has seen. `make drills` runs two minutes of it; here each fault comes once.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import odoorpc
import pytest

from infra.embedded_kafka import EmbeddedKafka
from infra.errors import BurnlineError, Transient
from infra.kafka import topics
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from schemas import codec
from tests.support.drill import until
from tests.support.odoo_lab import OwnLab
from tests.support.ports import free_port

pytestmark = [pytest.mark.drill, pytest.mark.odoo, pytest.mark.kafka]
ROOT = Path(__file__).resolve().parents[2]
SECONDS = float(os.environ.get("BURNLINE_TEST_DRILL_SECONDS", "20"))
LINE, EMPLOYEE, PROJECT = "account.analytic.line", "hr.employee", "project.project"
NEVER = 77.0
"""Hours that are only ever written in transactions that are rolled back."""
OVERLAP = 6.0
TOPICS = {LINE: "delivery.timesheet.v1", EMPLOYEE: "people.consultant.v1", PROJECT: "delivery.project.v1"}
TRUTH = {
    LINE: "select id, round(unit_amount * 60)::int, date, employee_id, project_id from account_analytic_line where project_id is not null",
    EMPLOYEE: "select e.id, r.active::text, e.name from hr_employee e join resource_resource r on r.id = e.resource_id",
    PROJECT: "select id, active::text, name->>'en_US' from project_project where not coalesce(is_template, false)",
}  # fmt: skip
SEEN: dict[str, Callable[[Any], tuple[str, ...]]] = {
    LINE: lambda now: (str(now["minutes"]), str(now["date"]), str(now["employee_id"] or ""), str(now["project_id"])),
    EMPLOYEE: lambda now: (str(now["active"]).lower(), now["name"]),
    PROJECT: lambda now: (str(now["active"]).lower(), now["name"]),
}


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
        }
        self._process = self._start()
        self.ended: list[int] = []

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "burnline", "capture"]
        return subprocess.Popen(command, env=self._environment, cwd=ROOT, stdout=self._log, stderr=self._log)

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


class People:
    """Writers, each a thread with a log-in of its own; what fails while a server is away is not tried again."""

    def __init__(self, lab: OwnLab, chance: random.Random) -> None:
        self._lab, self._over = lab, threading.Event()
        self.done: Counter[str] = Counter()
        seeds = [random.Random(chance.random()) for _ in range(3)]  # noqa: S311  a drill's choices
        work = [(self._clicks, seeds[0]), (self._clicks, seeds[1]), (self._holds, seeds[2])]
        self._threads = [threading.Thread(target=do, args=(seed,)) for do, seed in work]
        for thread in self._threads:
            thread.start()

    def _clicks(self, chance: random.Random) -> None:
        rpc: Any = None
        lines: list[int] = []
        project = employee = 0
        while not self._over.wait(0.02):
            try:
                if rpc is None:
                    rpc = odoorpc.ODOO("127.0.0.1", port=self._lab.port, timeout=20)
                    rpc.login(self._lab.db, self._lab.user, self._lab.password)

                def do(model: str, method: str, *words: Any) -> Any:
                    return rpc.execute_kw(model, method, list(words), {})  # noqa: B023  called in this turn

                if not project or chance.random() < 0.02:
                    project = do(PROJECT, "create", {"name": f"drill {chance.random()}", "allow_timesheets": True})
                    employee = do(EMPLOYEE, "create", {"name": f"drill {chance.random()}", "hourly_cost": 50.0})
                self._one(do, chance, lines, project, employee)
            except Exception as error:  # noqa: BLE001  servers are being killed: whatever was not answered may or may not be done
                self.done[f"failed: {type(error).__name__}"] += 1
                if not isinstance(error, odoorpc.error.RPCError):
                    rpc = None
                lines.clear()

    def _one(
        self, do: Callable[..., Any], chance: random.Random, lines: list[int], project: int, employee: int
    ) -> None:
        hours = chance.randrange(1, 32) / 4
        values = {
            "name": "drill",
            "project_id": project,
            "employee_id": employee,
            "unit_amount": hours,
            "date": "2026-03-05",
        }
        kind = chance.choices(
            ["create", "edit", "mass", "delete", "archive", "rollback", "noise"], [30, 30, 5, 10, 5, 10, 10]
        )[0]
        if kind == "create" or not lines:
            lines += do(LINE, "create", [values] * chance.randrange(1, 5))
        elif kind == "edit":
            do(LINE, "write", [chance.choice(lines)], {"unit_amount": hours})
        elif kind == "mass":
            do(LINE, "write", lines[-200:], {"unit_amount": hours})
        elif kind == "delete":
            do(LINE, "unlink", [lines.pop(chance.randrange(len(lines)))])
        elif kind == "archive":
            model, record = chance.choice([(PROJECT, project), (EMPLOYEE, employee)])
            do(model, "write", [record], {"active": chance.random() < 0.5})
        elif kind == "rollback":
            with suppress(odoorpc.error.RPCError):
                do(LINE, "create", [{**values, "unit_amount": NEVER}, {**values, "no_such_field": 1}])
        else:
            do(LINE, "write", [chance.choice(lines)], {"name": f"drill {chance.random()}"})
        self.done[kind] += 1

    def _holds(self, chance: random.Random) -> None:
        """Transactions that are open for up to twice the overlap, and then committed or rolled back."""
        while not self._over.wait(0.2):
            seconds = chance.uniform(0.5, 2 * OVERLAP)
            ends = chance.choice(["commit", "commit", "rollback"])
            hours = NEVER if ends == "rollback" else chance.randrange(1, 32) / 4
            held = self._lab.try_sql(
                f"begin; update account_analytic_line set unit_amount = {hours}, write_date = now() at time zone 'utc' "  # noqa: S608  numbers of our own
                "where id in (select id from account_analytic_line where project_id is not null order by random() limit 3 "
                f"for update skip locked); select pg_sleep({seconds}); {ends}"
            )
            self.done[f"held, {ends}" if held else "held, killed"] += 1

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


class Seen:
    """Everything that a subscriber of committed records ever sees of this Odoo."""

    def __init__(self, kafka: KafkaSettings, database: str) -> None:
        self.by_key: dict[tuple[str, int], list[Any]] = defaultdict(list)
        self.raw: dict[str, set[bytes]] = defaultdict(set)
        self.count = 0
        for model, name in TOPICS.items():
            prefix = f"odoo:{database}:{model}:"
            for record in read_to_end(kafka, name):
                key, value = (record.key() or b"").decode(), record.value()
                if key.startswith(prefix) and value is not None:
                    event = codec.decode(value).value
                    self.by_key[model, int(key.removeprefix(prefix))].append(event)
                    self.raw[event["meta"]["event_id"]].add(value)
                    self.count += 1

    def present(self, model: str) -> dict[int, tuple[str, ...]]:
        return {
            number: SEEN[model](events[-1]["current"])
            for (of, number), events in self.by_key.items()
            if of == model and events[-1]["current"] is not None
        }


def truth(lab: OwnLab, model: str) -> dict[int, tuple[str, ...]]:
    return {int(row[0]): tuple(row[1:]) for row in lab.sql(TRUTH[model])}


def differences(lab: OwnLab, kafka: KafkaSettings) -> list[str]:
    seen = Seen(kafka, lab.db)
    found: list[str] = []
    for model in TOPICS:
        there, told = truth(lab, model), seen.present(model)
        found += [f"{model} {one}: {there.get(one)} became {told.get(one)}" for one in there.keys() | told.keys() if there.get(one) != told.get(one)]  # fmt: skip
    return found


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


def assert_each_once(seen: Seen) -> None:
    assert all(len(contents) == 1 for contents in seen.raw.values()), "one id with two contents"
    assert len(seen.raw) == seen.count, "one event twice"
    for key, events in seen.by_key.items():
        assert [event["meta"]["version"] for event in events] == list(range(1, len(events) + 1)), key
        assert all(event["current"] is None or event["current"].get("minutes") != NEVER * 60 for event in events), (
            f"{key}: what was rolled back was told"
        )


@pytest.mark.timeout(int(SECONDS) + 400)
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
        people = People(lab, chance)
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
            people.end()
            settled(capture, lab, kafka)
        except BaseException:
            print((tmp_path / "capture.log").read_text()[-6000:])
            raise
        finally:
            people.end()
            capture.close()
        seen = Seen(kafka, lab.db)
        print(f"{came} faults, {seen.count} events, {dict(people.done)}, capture ended {capture.ended}")
        assert_each_once(seen)
        assert people.done["create"], "people did work"
        assert people.done["rollback"]
        assert people.done["held, commit"] + people.done["held, rollback"]
