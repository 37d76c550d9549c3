"""What no stamp tells: sums see it at the next sweep. And what is gone, but too much of it to be believed."""

import threading
from typing import Any

import pytest

import producers.capture
from infra.embedded_odoo import EmbeddedOdoo
from producers.audit import Request, run
from producers.capture import metrics

pytestmark = pytest.mark.kafka
TASK, LINE, TIMESHEET = "delivery.task.v1", "account.analytic.line", "delivery.timesheet.v1"


def test_a_milestone_deleted_takes_itself_off_its_task_although_nothing_stamps_it(
    world: Any, project: int, unique: str
) -> None:
    milestone = world.odoo("project.milestone", "create", {"name": unique, "project_id": project})
    values = {"name": unique, "project_id": project, "milestone_id": milestone}
    task = world.odoo("project.task", "create", values)
    assert world.verb(TASK, "project.task", task, "created")[-1]["current"]["milestone_id"] == milestone
    (before,) = world.odoo("project.task", "read", [task], ["write_date"])
    world.odoo("project.milestone", "unlink", [milestone])
    world.verb("delivery.milestone.v1", "project.milestone", milestone, "deleted")
    changed = world.verb(TASK, "project.task", task, "changed")[-1]
    assert (changed["current"]["milestone_id"], changed["changed"]) == (None, ["milestone_id"])
    assert world.odoo("project.task", "read", [task], ["write_date"]) == [before]


def test_a_deletion_without_a_hint_is_seen_at_the_next_sweep(world: Any, line: int) -> None:
    world.odoo(LINE, "unlink", [line])
    world.verb(TIMESHEET, LINE, line, "deleted")


def test_more_deletions_than_anybody_makes_wait_for_a_person(
    embedded: EmbeddedOdoo, kafka: Any, settings_for: Any, subscriber: Any
) -> None:
    def capture() -> dict[str, int]:
        return producers.capture.run(settings, {}, once=True, stop=threading.Event())

    settings = settings_for(embedded, kafka)
    with embedded.transaction() as transaction:
        project = transaction.create("project.project", {"name": "P"})
        made = [transaction.create(LINE, {"name": "w", "project_id": project}) for _ in range(150)]
    assert capture()[TIMESHEET] == 150
    with embedded.database.store.write() as change:  # as if another database had been put in its place
        change.db.execute("DELETE FROM account_analytic_line WHERE id <= ?", (made[119],))
    assert TIMESHEET not in capture()
    assert metrics.DELETIONS_HELD.labels(LINE)._value.get() == 120
    assert metrics.RANGES_APART.labels(LINE)._value.get() == 1
    found = run(settings, {}, Request(models=(LINE,), quick=True, repair=True, settle=0.1))
    assert (found.kinds["phantom"], found.repaired) == (120, 120)
    assert capture() == {}
    assert metrics.DELETIONS_HELD.labels(LINE)._value.get() == 0
    with embedded.transaction() as transaction:
        transaction.unlink(LINE, made[120:])
    assert capture() == {TIMESHEET: 30}, "few are believed, whatever share they are"
