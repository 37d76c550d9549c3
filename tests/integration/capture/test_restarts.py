"""Whatever dies, and whoever else starts: every state arrives once, and only one capture of a database writes."""

import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import producers.capture
from infra.embedded_odoo import EmbeddedOdoo
from infra.errors import Fatal
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from producers.core.webhook_records import Hint, hint_event
from schemas import codec
from schemas.events import odoo_key
from schemas.topics import topic

pytestmark = pytest.mark.kafka
LINE, TIMESHEET = "account.analytic.line", "delivery.timesheet.v1"
DEADLINE = 60.0


def committed(kafka: Any, database: str, name: str = TIMESHEET) -> list[Any]:
    """Everything a `read_committed` subscriber ever sees of a database on a topic."""
    prefix = f"odoo:{database}:".encode()
    return [
        codec.decode(r.value() or b"").value for r in read_to_end(kafka, name) if (r.key() or b"").startswith(prefix)
    ]


def lines(odoo: EmbeddedOdoo, count: int) -> list[int]:
    """A project with this many lines."""
    with odoo.transaction() as transaction:
        project = transaction.create("project.project", {"name": "P"})
        return [
            transaction.create(LINE, {"name": "w", "project_id": project, "unit_amount": 1.0, "date": "2026-03-05"})
            for _ in range(count)
        ]


def once(settings: Any, config: dict[str, object] | None = None) -> dict[str, int]:
    return producers.capture.run(settings, config or {}, once=True, stop=threading.Event())


@pytest.mark.drill
def test_killed_in_mid_snapshot_it_loses_and_doubles_nothing(
    embedded: EmbeddedOdoo, kafka: Any, settings_for: Any, child: Callable[..., subprocess.Popen[str]]
) -> None:
    ids = lines(embedded, 600)
    settings = settings_for(embedded, kafka, page_size=10)
    kills = 0
    for enough in (60, 150, 150):
        process = child(settings)
        assert process.stdout is not None
        for said in process.stdout:
            if said.strip().isdecimal() and int(said) >= enough:
                process.kill()
                kills += 1
                break
        process.wait()
    assert kills == 3, "each was killed before it was done"
    once(settings)
    seen = Counter(event["meta"]["subject"] for event in committed(kafka, embedded.db))
    assert seen == Counter(odoo_key(embedded.db, LINE, record_id) for record_id in ids)
    assert once(settings) == {}, "and nothing is new"


def test_what_happened_while_it_was_down_is_caught_up(embedded: EmbeddedOdoo, kafka: Any, settings_for: Any) -> None:
    first, second, third = lines(embedded, 3)
    settings = settings_for(embedded, kafka)
    assert once(settings)[TIMESHEET] == 3
    with embedded.transaction() as transaction:
        transaction.write(LINE, [first], {"unit_amount": 2.0})
        transaction.unlink(LINE, [second])
        transaction.write(LINE, [third], {"unit_amount": 1.0})
    assert once(settings) == {TIMESHEET: 2}, "the third was written with what it had"
    events = committed(kafka, embedded.db)
    last = {event["meta"]["subject"]: event for event in events}
    assert last[odoo_key(embedded.db, LINE, first)]["current"]["minutes"] == 120
    assert last[odoo_key(embedded.db, LINE, second)]["current"] is None
    assert len({event["meta"]["event_id"] for event in events}) == len(events) == 5


def test_a_change_without_a_stamp_is_found_by_comparing(embedded: EmbeddedOdoo, kafka: Any, settings_for: Any) -> None:
    (line,) = lines(embedded, 1)
    settings = settings_for(embedded, kafka)
    once(settings)
    with embedded.store.write("") as change:
        change.db.execute(
            f"UPDATE account_analytic_line SET unit_amount = 9, write_date = '2020-01-01 00:00:00' WHERE id = {line}"  # noqa: S608  a number of our own
        )
    assert once(settings) == {TIMESHEET: 1}
    event = committed(kafka, embedded.db)[-1]
    assert (event["meta"]["mode"], event["current"]["minutes"]) == ("sweep", 540)


def test_a_second_capture_fences_the_first(
    embedded: EmbeddedOdoo, kafka: Any, settings_for: Any, begin: Any, subscriber: Any
) -> None:
    (line,) = lines(embedded, 1)
    key = odoo_key(embedded.db, LINE, line)
    settings = settings_for(embedded, kafka)
    first = begin(settings)
    subscriber.until(TIMESHEET, key, lambda events: len(events) == 1)
    second = begin(settings)
    error = first.result.exception(DEADLINE)
    assert isinstance(error, Fatal)
    assert "another capture" in str(error)
    assert "run one capture" in error.remedy
    with embedded.transaction() as transaction:
        transaction.write(LINE, [line], {"unit_amount": 2.0})
    subscriber.until(TIMESHEET, key, lambda events: len(events) == 2)
    second.check()
    assert [event["meta"]["version"] for event in committed(kafka, embedded.db)] == [1, 2]


def test_a_hint_is_followed_at_once(
    embedded: EmbeddedOdoo, kafka: Any, settings_for: Any, begin: Any, subscriber: Any
) -> None:
    """With polls minutes apart, only hints can be the reason; one of a deletion is checked first.

    The one sweep that follows the snapshot may be first to see a change; the next is ten minutes away. So each is tried again.
    """
    kept, *others = lines(embedded, 4)
    settings = settings_for(embedded, kafka, poll_interval=600.0, sweep_interval=600.0)
    begin(settings)
    for line in (kept, *others):
        subscriber.until(TIMESHEET, odoo_key(embedded.db, LINE, line), lambda events: len(events) == 1)
    writer = EventWriter(producer(kafka))

    def hint(line: int, action: str) -> None:
        writer.send(
            topic("ops.webhook.v1"),
            hint_event(
                Hint(LINE, line, action), delivery_id="d", database=embedded.db, received_at=datetime.now(UTC),
                content_type="application/json", body=b"{}",
            ),
        )  # fmt: skip
        writer.flush()

    def told(line: int, count: int) -> Callable[[list[Any]], bool]:
        def enough(events: list[Any]) -> bool:
            hint(line, "on_unlink")  # again and again: a hint before the capture listens is lost, as it may be
            return len(events) == count

        return enough

    for deleted in others:
        with embedded.transaction() as transaction:
            transaction.unlink(LINE, [deleted])
        gone = subscriber.until(TIMESHEET, odoo_key(embedded.db, LINE, deleted), told(deleted, 2))
        if gone[-1]["meta"]["mode"] == "hint":
            break
    for hours in (2, 3, 4):
        with embedded.transaction() as transaction:
            transaction.write(LINE, [kept], {"unit_amount": float(hours)})
        changed = subscriber.until(TIMESHEET, odoo_key(embedded.db, LINE, kept), told(kept, hours))
        if changed[-1]["meta"]["mode"] == "hint":
            break
    assert changed[-1]["current"]["minutes"] == 60 * hours, "it exists, whatever the hint says"
    assert gone[-1]["current"] is None
    assert changed[-1]["meta"]["mode"] == gone[-1]["meta"]["mode"] == "hint"


def test_a_row_that_breaks_its_schema_is_parked_and_the_rest_goes_on(
    embedded: EmbeddedOdoo, kafka: Any, settings_for: Any
) -> None:
    with embedded.transaction() as transaction:
        employee = transaction.create("hr.employee", {"name": "Ann"})
        good = transaction.create("hr.expense", {"name": "taxi", "employee_id": employee, "total_amount": 20.0})
        bad = transaction.create("hr.expense", {"name": "moon", "employee_id": employee, "total_amount": 1e18})
    settings = settings_for(embedded, kafka)
    once(settings)
    once(settings)
    subjects = [event["meta"]["subject"] for event in committed(kafka, embedded.db, "finance.expense.v1")]
    assert subjects == [odoo_key(embedded.db, "hr.expense", good)]
    letters = committed(kafka, embedded.db, "ops.dead-letter.v1")
    assert {letter["meta"]["subject"] for letter in letters} == {odoo_key(embedded.db, "hr.expense", bad)}
    assert len({letter["meta"]["event_id"] for letter in letters}) == 1, "parked twice, it shows as one"
    letter = letters[0]["current"]
    assert (letter["topic"], letter["stage"], letter["owner"]) == (
        "finance.expense.v1",
        "capture.map",
        "finance-operations",
    )
    assert b"1e+18" in letter["value"]
