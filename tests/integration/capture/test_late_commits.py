"""What comes after its time: a transaction that commits when its window is over, and an Odoo whose fields are no longer what they were."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

import producers.capture
from infra.embedded_odoo import EmbeddedOdoo, calls
from infra.errors import Fatal
from infra.kafka.reader import read_to_end
from infra.odoo import connect
from infra.settings import Settings
from producers.capture import standing
from producers.capture.survey import survey
from schemas import codec
from schemas.events import odoo_key
from tests.integration.capture.conftest import LAB, Client, alone_with
from tests.support.drill import until

pytestmark = pytest.mark.kafka
LINE, TIMESHEET = "account.analytic.line", "delivery.timesheet.v1"
OVERLAP = 1.0
LOCK = 19_051_905
"""The number of the lock that the late transaction waits for."""


def once(settings: Settings) -> dict[str, int]:
    return producers.capture.run(settings, {}, once=True, stop=threading.Event())


def events(kafka: Any, key: str) -> list[Any]:
    records = [record for record in read_to_end(kafka, TIMESHEET) if (record.key() or b"").decode() == key]
    return [codec.decode(record.value() or b"").value for record in records]


@contextmanager
def held_open(real_odoo: Any, change: str) -> Iterator[None]:
    """A transaction that has made its change, and commits when the context ends."""
    held = f"from pg_locks where locktype = 'advisory' and objid = {LOCK}"
    holder = subprocess.Popen(
        [str(LAB), "sql", f"select pg_advisory_lock({LOCK}); select pg_sleep(300)"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: real_odoo.sql(f"select 1 {held} and granted"), "the lock")
    late = threading.Thread(target=real_odoo.sql, args=(f"begin; {change}; select pg_advisory_lock({LOCK}); commit",))
    late.start()
    try:
        until(lambda: real_odoo.sql(f"select 1 {held} and not granted"), "the late transaction")
        yield
    finally:
        real_odoo.sql(f"select pg_terminate_backend(pid) {held} and granted")
        late.join()
        holder.wait()


@pytest.mark.odoo
def test_a_commit_after_its_window_is_found_by_the_sweep_with_its_true_time(
    real_odoo: Any, kafka: Any, settings_for: Any, unique: str
) -> None:
    """The overlap is a second here, and the transaction stays open until later stamps were read."""
    settings = settings_for(real_odoo, kafka, overlap=OVERLAP)
    with alone_with(real_odoo.db):
        odoo = Client(real_odoo, "real")
        project = odoo("project.project", "create", {"name": unique, "allow_timesheets": True})
        employee = odoo("hr.employee", "create", {"name": unique, "hourly_cost": 50.0})
        values = {"name": "w", "project_id": project, "employee_id": employee, "unit_amount": 2.0, "date": "2026-03-05"}
        line = odoo(LINE, "create", values)
        once(settings)
        time.sleep(1.1)  # stamps are whole seconds: the late one is newer than the line's creation
        change = (
            f"update account_analytic_line set unit_amount = 7, write_date = now() at time zone 'utc' where id = {line}"  # noqa: S608  a number of our own
        )
        with held_open(real_odoo, change):
            time.sleep(2 * OVERLAP + 1)  # and later ones are newer than the overlap
            odoo(LINE, "create", values)
            once(settings)
        query = f"select date_trunc('second', write_date) from account_analytic_line where id = {line}"  # noqa: S608  as above
        ((stamp,),) = real_odoo.sql(query)
        once(settings)
    told = events(kafka, odoo_key(odoo.db, LINE, line))
    assert [event["current"]["minutes"] for event in told] == [120, 420]
    meta = told[-1]["meta"]
    assert meta["mode"] == "sweep", "no pass lists it any more"
    assert meta["recorded_at"] == datetime.fromisoformat(stamp).replace(tzinfo=UTC), (
        "when it was written, not when it was found"
    )
    assert meta["occurred_at"] == told[0]["meta"]["occurred_at"], "the end of the day that was worked"


def test_a_field_renamed_by_an_upgrade_stops_the_capture_and_loses_nothing(
    embedded: EmbeddedOdoo, kafka: Any, settings_for: Any, begin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded.transaction() as transaction:
        project = transaction.create("project.project", {"name": "P"})
        line = transaction.create(LINE, {"name": "w", "project_id": project, "unit_amount": 1.0})
    settings = settings_for(embedded, kafka)
    running = begin(settings)
    key = odoo_key(embedded.db, LINE, line)
    deadline = time.monotonic() + 60
    while not events(kafka, key):
        assert time.monotonic() < deadline
        running.check()
    before = calls.MODELS[LINE]
    upgraded = replace(before, fields={name: field for name, field in before.fields.items() if name != "unit_amount"})
    with monkeypatch.context() as patched:
        patched.setattr(calls, "MODELS", {**calls.MODELS, LINE: upgraded})
        with embedded.transaction() as transaction:
            transaction.write(LINE, [line], {"unit_amount": 2.0})
        error = running.result.exception(60)
        assert isinstance(error, Fatal)
        assert "unit_amount" in str(error)
        assert once(settings).get(TIMESHEET) is None, (
            "started again, it leaves out what it cannot read, and goes on with the rest"
        )
    once(settings)
    assert [event["current"]["minutes"] for event in events(kafka, key)] == [60, 120]


def test_an_optional_field_that_is_not_there_any_more_turns_off_its_mapping_until_somebody_says_so(
    embedded: EmbeddedOdoo, kafka: Any, settings_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renamed, or hidden from the user: without it all time would seem to be taken off its order, which nobody did."""
    with embedded.transaction() as transaction:
        project = transaction.create("project.project", {"name": "P"})
        line = transaction.create(LINE, {"name": "w", "project_id": project, "task_id": False, "unit_amount": 1.0})
        task = transaction.create("project.task", {"name": "T", "project_id": project})
        transaction.write(LINE, [line], {"task_id": task})
    settings = settings_for(embedded, kafka)
    once(settings)
    key, name = odoo_key(embedded.db, LINE, line), f"{LINE}.task_id"
    read = {model: one["fields"] for model, one in standing.cursors(kafka, embedded.db).items()}
    before = calls.MODELS[LINE]
    upgraded = replace(before, fields={name: field for name, field in before.fields.items() if name != "task_id"})
    monkeypatch.setattr(calls, "MODELS", {**calls.MODELS, LINE: upgraded})
    with embedded.transaction() as transaction:
        transaction.write(LINE, [line], {"unit_amount": 2.0})
        transaction.write("project.project", [project], {"name": "Q"})
    assert once(settings) == {"delivery.project.v1": 1}, "the others go on"
    assert [event["current"]["task_id"] for event in events(kafka, key)] == [task]
    client = connect(settings.odoo)
    (problem,) = [one for one in survey(client, {}, read) if one.model == LINE]
    assert name in problem.detail
    assert "without" in problem.remedy
    gone_for_good: dict[str, object] = {"capture": {"without": [name]}}
    assert not [one for one in survey(client, gone_for_good, read) if one.model == LINE]
    producers.capture.run(settings, gone_for_good, once=True, stop=threading.Event())
    last = events(kafka, key)[-1]["current"]
    assert (last["task_id"], last["minutes"]) == (None, 120)
