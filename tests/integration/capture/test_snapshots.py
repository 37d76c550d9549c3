"""Snapshots that are asked for: beside live capture, steered, killed, and never at odds with what was read live."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import producers.capture
from infra.embedded_odoo import EmbeddedOdoo
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import Settings
from producers.capture import standing
from producers.core.snapshots import KEPT
from schemas import codec
from schemas.events import odoo_key
from tests.support.drill import until

pytestmark = pytest.mark.kafka
LINE, TIMESHEET = "account.analytic.line", "delivery.timesheet.v1"
ROOT = Path(__file__).parents[3]


class Shell:
    """`burnline` on the command line, for one Odoo and one broker."""

    def __init__(self, settings: Settings) -> None:
        assert settings.odoo.password is not None
        self.settings = settings
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))},
            "ODOO_URL": settings.odoo.url or "",
            "ODOO_DB": settings.odoo.db or "",
            "ODOO_PASSWORD": settings.odoo.password.get_secret_value(),
            "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers or "",
            "COLUMNS": "200",
            "BURNLINE_CAPTURE__PAGE_SIZE": "10",
            "BURNLINE_CAPTURE__POLL_INTERVAL": "0.2",
            "BURNLINE_CAPTURE__SWEEP_INTERVAL": "3600",
        }

    def __call__(self, *words: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "burnline", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, cwd=ROOT, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stdout + done.stderr

    def snapshot(self, snapshot_id: str) -> Any:
        return standing.snapshots(self.settings.kafka, self.settings.odoo.db or "").get(snapshot_id)

    def state(self, snapshot_id: str) -> str | None:
        found = self.snapshot(snapshot_id)
        return found["state"] if found else None


@pytest.fixture
def shell(embedded: EmbeddedOdoo, kafka: Any, settings_for: Callable[..., Settings]) -> Shell:
    return Shell(settings_for(embedded, kafka, page_size=10, sweep_interval=3600.0))


@pytest.fixture
def captures(shell: Shell) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """`burnline capture` processes, which are killed in the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "burnline", "capture"]
        started.append(subprocess.Popen(command, env=shell.environment, cwd=ROOT, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def lines(odoo: EmbeddedOdoo, count: int) -> list[int]:
    """Lines of long ago, an hour apart: a pass lists the last one alone."""
    with odoo.transaction() as transaction:
        project = transaction.create("project.project", {"name": "P"})
        values = {"name": "w", "project_id": project, "unit_amount": 1.0}
        made = [transaction.create(LINE, {**values, "date": f"2026-03-{1 + n % 28:02d}"}) for n in range(count)]
    with odoo.store.write("") as change:
        change.db.execute("UPDATE account_analytic_line SET write_date = datetime('2026-04-01', '+' || id || ' hours')")
    return made


def silently(odoo: EmbeddedOdoo, where: str, hours: int) -> None:
    """Change lines so that no stamp tells of it."""
    with odoo.store.write("") as change:
        change.db.execute(f"UPDATE account_analytic_line SET unit_amount = {hours} WHERE {where}")  # noqa: S608  words of our own


def relabelled(odoo: EmbeddedOdoo, where: str) -> None:
    """Change lines so that neither a stamp nor a sum tells of it."""
    with odoo.store.write("") as change:
        change.db.execute(f"UPDATE account_analytic_line SET timesheet_invoice_type = 'billable_fixed' WHERE {where}")  # noqa: S608  words of our own


def minutes(kafka: Any, odoo: EmbeddedOdoo) -> dict[int, int]:
    """The latest minutes of every line."""
    return {number: state["minutes"] for number, state in latest(kafka, odoo).items()}


def latest(kafka: Any, odoo: EmbeddedOdoo) -> dict[int, Any]:
    """Every line as a subscriber sees it; the versions of each must be gapless."""
    prefix = f"odoo:{odoo.db}:{LINE}:"
    found: dict[int, Any] = {}
    versions: Counter[int] = Counter()
    for record in read_to_end(kafka, TIMESHEET):
        key = (record.key() or b"").decode()
        if key.startswith(prefix):
            event = codec.decode(record.value() or b"").value
            number = int(key.removeprefix(prefix))
            versions[number] += 1
            assert event["meta"]["version"] == versions[number]
            found[number] = event["current"]
    return found


def test_what_a_snapshot_finds_and_how_its_filter_bounds_it(
    embedded: EmbeddedOdoo, kafka: Any, shell: Shell, begin: Any
) -> None:
    ids = lines(embedded, 60)
    producers.capture.run(shell.settings, {}, once=True, stop=threading.Event())
    relabelled(embedded, f"id < {ids[-1]}")
    by_id = shell("snapshot", "start", LINE, "--ids", f"{ids[0]},{ids[1]},99999").strip()
    by_date = shell("snapshot", "start", LINE, "--where", '[["date", "=", "2026-03-10"]]').strip()
    begin(shell.settings)  # they were asked for before it ran
    until(lambda: shell.state(by_date) == "done", "both snapshots", timeout=90)
    of_date = {number for number, n in zip(ids, range(60), strict=True) if n % 28 == 9}
    changed = {number for number, found in latest(kafka, embedded).items() if found["billable"]}
    assert changed == {ids[0], ids[1]} | of_date
    one, other = shell.snapshot(by_id), shell.snapshot(by_date)
    assert (one["rows"], one["rows_expected"], one["events"]) == (3, 3, 2), (
        "the id that is not there is no row and no event"
    )
    assert (other["rows"], other["rows_expected"], other["events"]) == (len(of_date), len(of_date), len(of_date))
    everything = shell("snapshot", "start", "--wait").strip()
    assert [number for number, found in latest(kafka, embedded).items() if not found["billable"]] == [ids[-1]]
    assert shell.snapshot(everything)["events"] == 59 - len(changed)
    again = shell("snapshot", "start", "--wait").strip()
    assert shell.snapshot(again)["events"] == 0, "what has not changed is not published again"
    told = [json.loads(line) for line in shell("snapshot", "status", "--json").splitlines()]
    assert [(row["snapshot_id"], row["state"], row["progress"]) for row in told][-1] == (again, "done", 1.0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(
            (LINE, "--where", '[["nope", "=", 1]]'), "nope is not declared", id="a field that is not declared"
        ),
        pytest.param(("no.model",), "no.model is not captured here", id="an unknown model"),
        pytest.param(("--ids", "1"), "about one model", id="ids of no model"),
        pytest.param((LINE, "--ids", "x"), "no list of ids", id="ids that are none"),
    ],
)
def test_a_snapshot_that_cannot_be_is_refused_where_it_is_asked_for(
    shell: Shell, words: tuple[str, ...], says: str
) -> None:
    assert says in shell("snapshot", "start", *words, status=2)


def test_a_snapshot_that_is_not_there_or_over_cannot_be_steered_and_one_that_waits_can(
    shell: Shell, kafka: Any, embedded: EmbeddedOdoo
) -> None:
    waiting = shell(
        "snapshot", "start", LINE, "--ids", "1"
    ).strip()  # no capture runs: it stands on no topic but that of signals
    shell("snapshot", "pause", waiting)
    told = shell("snapshot", "pause", f"{waiting[:-1]}x", status=2)
    assert f"there is no snapshot {waiting[:-1]}x" in told
    assert "`burnline snapshot status` shows the ids" in told
    commands = [
        codec.decode_as(standing.SIGNALS.record, record.value() or b"")["command"]
        for record in read_to_end(kafka, standing.SIGNALS.name)
        if record.key() == standing.internal_key(embedded.db)
    ]
    assert commands == ["start", "pause"], "nothing was sent for the other"


def test_a_signal_that_only_the_capture_can_refuse(
    embedded: EmbeddedOdoo, kafka: Any, shell: Shell, begin: Any
) -> None:
    """An optional field that this Odoo does not have, and rubbish on the topic: told, parked, and the capture goes on."""
    ids = lines(embedded, 3)
    asked = shell("snapshot", "start", "hr.employee", "--where", '[["date_version", "=", "2026-01-01"]]').strip()
    writer = EventWriter(producer(kafka))
    writer.send_bytes(standing.SIGNALS.name, standing.internal_key(embedded.db), b"rubbish")
    writer.flush()
    running = begin(shell.settings)
    until(lambda: shell.state(asked) == "refused", "a refusal", timeout=90)
    assert "date_version is not declared" in shell.snapshot(asked)["why"]
    assert asked in shell("snapshot", "status", "--json", status=1)  # the newest was refused
    last = shell("snapshot", "start", LINE, "--ids", str(ids[0]), "--wait").strip()
    assert shell.state(last) == "done"
    assert asked in shell("snapshot", "status", "--json")  # the newest was not
    running.check()


@pytest.mark.drill
def test_killed_paused_and_resumed_it_goes_on_where_it_was(
    embedded: EmbeddedOdoo, kafka: Any, shell: Shell, captures: Callable[[], subprocess.Popen[bytes]]
) -> None:
    """While lines are changed live: in the end every line is as Odoo has it, each change once."""
    ids = lines(embedded, 240)
    producers.capture.run(shell.settings, {}, once=True, stop=threading.Event())
    silently(embedded, "1", 2)
    asked = shell("snapshot", "start", LINE, "--rows-per-second", "60").strip()
    over = threading.Event()

    def work() -> None:
        number = 0
        while not over.wait(0.02):
            number += 1
            with embedded.transaction() as transaction:
                transaction.write(LINE, [ids[number * 7 % len(ids)]], {"unit_amount": 3.0 + number % 5})

    worker = threading.Thread(target=work)
    worker.start()
    try:
        seen = [0]
        for _ in range(2):
            process = captures()
            until(lambda: (shell.snapshot(asked) or {"rows": 0})["rows"] >= seen[-1] + 40, "progress", timeout=90)
            process.send_signal(signal.SIGKILL)
            process.wait()
            seen.append(shell.snapshot(asked)["rows"])
        captures()
        shell("snapshot", "pause")
        until(lambda: shell.state(asked) == "paused", "a pause", timeout=90)
        held = shell.snapshot(asked)["rows"]
        table = shell("status")
        assert "capturing" in table
        assert LINE in table
        assert "paused" in table
        told = [json.loads(line) for line in shell("status", "--json").splitlines()]
        (capture,) = [row for row in told if row["kind"] == "capture"]
        assert (capture["state"], capture["transport"], capture["breaker_open"]) == ("capturing", "jsonrpc", False)
        assert shell.snapshot(asked)["rows"] == held
        shell("snapshot", "resume")
        until(lambda: shell.state(asked) == "done", "the end", timeout=90)
    finally:
        over.set()
        worker.join()
    assert 0 < seen[1] < seen[2] <= held < 240
    assert shell.snapshot(asked)["rows"] == 240
    wanted = {
        number: round(hours * 60) for number, hours in embedded.sql("SELECT id, unit_amount FROM account_analytic_line")
    }
    until(lambda: minutes(kafka, embedded) == wanted, "every line as Odoo has it", timeout=90)


def test_a_stopped_snapshot_stays_where_it_was(embedded: EmbeddedOdoo, kafka: Any, shell: Shell, begin: Any) -> None:
    lines(embedded, 100)
    begin(shell.settings)
    asked = shell("snapshot", "start", LINE, "--rows-per-second", "10").strip()
    until(lambda: (shell.snapshot(asked) or {"rows": 0})["rows"] > 0, "its beginning", timeout=90)
    shell("snapshot", "stop", asked)
    until(lambda: shell.state(asked) == "stopped", "its end", timeout=90)
    rows = shell.snapshot(asked)["rows"]
    time.sleep(1.5)  # long enough for another chunk, if one came
    assert shell.snapshot(asked)["rows"] == rows < 100
    assert f"{asked} is over: stopped" in shell("snapshot", "resume", asked, status=2)


def test_those_that_are_over_leave_their_topic_when_newer_ones_have_ended(
    embedded: EmbeddedOdoo, kafka: Any, shell: Shell, begin: Any
) -> None:
    (line,) = lines(embedded, 1)
    begin(shell.settings)
    writer = EventWriter(producer(kafka))
    asked = {"command": "start", "asked_at": datetime.now(UTC), "snapshot_id": None, "record_ids": [], "domain": None}
    for number in range(KEPT + 5):
        signal = {**asked, "signal_id": f"refused {number}", "models": ["no.model"], "rows_per_second": None}
        value = codec.encode(standing.SIGNALS.record, signal)
        writer.send_bytes(standing.SIGNALS.name, standing.internal_key(embedded.db), value)
    writer.flush()
    last = shell("snapshot", "start", LINE, "--ids", str(line), "--wait").strip()

    def remembered() -> set[str]:
        return set(standing.snapshots(kafka, embedded.db))

    newest = {f"refused {number}" for number in range(6, KEPT + 5)} | {last}
    until(lambda: remembered() == newest, "the newest alone")
    assert len(newest) == KEPT
    found = {record.key(): record.value() for record in read_to_end(kafka, standing.SNAPSHOTS.name)}
    assert [found[standing.internal_key(embedded.db, f"refused {number}")] for number in range(6)] == [None] * 6
    begin(shell.settings)  # fences the first; what is forgotten does not come back with the signals
    again = shell("snapshot", "start", LINE, "--ids", str(line), "--wait").strip()
    until(lambda: remembered() == newest - {"refused 6"} | {again}, "one more has gone")


def test_status_says_since_when_and_why_odoo_is_left_alone(
    tmp_path: Path, kafka: Any, settings_for: Any, begin: Any
) -> None:
    with EmbeddedOdoo(tmp_path / "firm.db", db=f"firm-{tmp_path.name}-status") as odoo:
        shell = Shell(settings_for(odoo, kafka))
        lines(odoo, 1)
        begin(shell.settings)
        key = odoo_key(odoo.db, LINE, 1)
        until(
            lambda: any((r.key() or b"").decode() == key for r in read_to_end(kafka, TIMESHEET)), "the line", timeout=90
        )
        assert "never ran" not in shell("status")

    def told() -> dict[str, Any]:
        return dict(standing.status(kafka, odoo.db) or {})

    until(lambda: told()["breaker_open"], "the breaker", timeout=90)
    assert told()["state"] == "waiting"
    text = shell("status", status=1)
    assert "waiting since" in text.replace("\n", " ")
    assert "no Odoo answers at" in text
    assert "circuit breaker: open after" in text
