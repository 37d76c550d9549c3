"""The simulated firm: its history, its life, and what it remembers."""

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from infra.embedded_odoo import EmbeddedOdoo
from infra.embedded_odoo.firm import Firm, worker
from infra.embedded_odoo.firm.days import easter, holidays, workdays_until
from infra.embedded_odoo.firm.memory import recall
from infra.embedded_odoo.models import MODELS
from infra.embedded_odoo.statements import statement
from infra.errors import Fatal

WRONG_TASK_SUMS = (
    "SELECT count(*) FROM project_task t WHERE abs(t.effective_hours - (SELECT COALESCE(SUM(l.unit_amount), 0)"
    " FROM account_analytic_line l WHERE l.task_id = t.id)) > 0.001"
)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def peopled(tmp_path: Path) -> Iterator[EmbeddedOdoo]:
    with EmbeddedOdoo(tmp_path / "firm.db") as odoo:
        yield odoo


@pytest.fixture
def firm(peopled: EmbeddedOdoo) -> Iterator[Firm]:
    made = Firm(peopled.database, seed=7, rate=500)
    made.prepare()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedOdoo]:
    """A firm that does not live: for looking at what was written."""
    with EmbeddedOdoo(tmp_path_factory.mktemp("history") / "firm.db") as odoo:
        Firm(odoo.database, seed=7, rate=1).prepare()
        yield odoo


def test_thirty_consultants_twelve_projects_and_half_a_year(history: EmbeddedOdoo) -> None:
    assert history.sql("SELECT active, count(*) FROM hr_employee GROUP BY active") == [(0, 1), (1, 30)]
    assert history.sql("SELECT count(*) FROM project_project") == [(12,)]
    ((first, last),) = history.sql("SELECT min(date), max(date) FROM account_analytic_line WHERE holiday_id IS NULL")
    today = worker.firm_today()
    assert today - timedelta(182 + 3) <= date.fromisoformat(first) <= today - timedelta(178)
    assert date.fromisoformat(last) >= today - timedelta(4)


def test_every_reference_leads_to_a_record(history: EmbeddedOdoo) -> None:
    for model in MODELS.values():
        for field in model.fields.values():
            if field.type == "many2one" and field.is_column:
                mine, target = f"t.{field.name}", MODELS[field.relation].table
                lost = history.sql(
                    statement("SELECT count(*) FROM", model.table, "t WHERE", mine, "IS NOT NULL AND NOT EXISTS")
                    + statement(" (SELECT 1 FROM", target, "o WHERE o.id =", mine, ")"),
                )
                assert (model.name, field.name, lost) == (model.name, field.name, [(0,)])


def test_required_columns_are_filled(history: EmbeddedOdoo) -> None:
    for model in MODELS.values():
        for field in model.fields.values():
            if (
                (field.required or field.name.endswith("_date"))
                and field.is_column
                and not field.name.startswith(("x", "i"))
            ):
                if field.name in {"departure_date", "reached_date", "payment_date"}:
                    continue
                empty = history.sql(statement("SELECT count(*) FROM", model.table, "WHERE", field.name, "IS NULL"))
                assert (model.name, field.name, empty) == (model.name, field.name, [(0,)])


def test_no_stamp_lies_in_the_future_or_before_its_creation(history: EmbeddedOdoo) -> None:
    for model in MODELS.values():
        wrong = history.sql(
            statement("SELECT count(*) FROM", model.table, "WHERE write_date < create_date")
            + " OR write_date > strftime('%Y-%m-%d %H:%M:%f', 'now')",
        )
        assert (model.name, wrong) == (model.name, [(0,)])


def test_projects_stand_just_below_the_levels_and_beyond_them(history: EmbeddedOdoo) -> None:
    burns = [
        row[0]
        for row in history.sql(
            "SELECT sum(l.unit_amount) / p.allocated_hours FROM project_project p"
            " JOIN account_analytic_line l ON l.project_id = p.id WHERE p.allow_billable = 1 GROUP BY p.id"
        )
    ]
    assert len(burns) == 11
    assert min(burns) < 0.4
    assert max(burns) > 1.25
    for level in (0.75, 0.9, 1.0):
        assert any(level - 0.01 < burn < level for burn in burns), level


def test_consultants_spread_over_the_bands(history: EmbeddedOdoo) -> None:
    shares = [
        row[0]
        for row in history.sql(
            "SELECT sum(CASE WHEN timesheet_invoice_type = 'billable_time' THEN unit_amount ELSE 0 END)"
            " / sum(unit_amount) FROM account_analytic_line WHERE holiday_id IS NULL AND project_id IS NOT NULL"
            " GROUP BY employee_id"
        )
    ]
    assert min(shares) < 0.55
    assert max(shares) > 0.82


@pytest.mark.parametrize(
    ("column", "table", "expected"),
    [
        ("state", "hr_leave", {"confirm", "validate", "refuse"}),
        ("state", "hr_expense", {"draft", "submitted", "approved", "posted", "in_payment", "paid", "refused"}),
        ("state", "purchase_order", {"draft", "sent", "to approve", "purchase", "cancel"}),
        ("payment_state", "account_move", {"not_paid", "paid", "blocked"}),
        ("move_type", "account_move", {"out_invoice", "out_refund", "in_invoice"}),
        (
            "x_dispute_state",
            "account_move",
            {"none", "open", "awaiting_customer", "escalated", "resolved", "withdrawn"},
        ),
    ],
)
def test_every_state_occurs(history: EmbeddedOdoo, column: str, table: str, expected: set[str]) -> None:
    assert expected <= {row[0] for row in history.sql(statement("SELECT DISTINCT", column, "FROM", table))}


def test_open_disputes_are_five_to_a_hundred_and_thirty_days_old(history: EmbeddedOdoo) -> None:
    opened = {
        date.fromisoformat(row[0])
        for row in history.sql("SELECT x_dispute_date FROM account_move WHERE x_dispute_date > ''")
    }
    today = worker.firm_today()
    assert min(opened) == today - timedelta(130)
    assert max(opened) == today - timedelta(5)
    late = history.sql("SELECT count(*) FROM account_move WHERE x_dispute_date < invoice_date")
    assert late == [(0,)]


def test_the_same_seed_is_the_same_firm(tmp_path: Path) -> None:
    told = []
    for number in range(2):
        with EmbeddedOdoo(tmp_path / f"{number}.db") as odoo:
            Firm(odoo.database, seed=3, rate=1).prepare()
            told.append(odoo.sql("SELECT id, employee_id, project_id, date, unit_amount FROM account_analytic_line"))
            told.append(odoo.sql("SELECT id, amount_total, amount_residual, x_dispute_state FROM account_move"))
    assert told[:2] == told[2:]


def test_a_second_start_adds_no_second_history(peopled: EmbeddedOdoo, firm: Firm) -> None:
    count = "SELECT (SELECT count(*) FROM account_analytic_line), (SELECT count(*) FROM account_move)"
    before = peopled.sql(count)
    again = Firm(peopled.database, seed=99, rate=1)
    again.prepare()
    assert peopled.sql(count) == before
    assert again.status({})["seed"] == 7


def test_days_that_passed_are_written_once(peopled: EmbeddedOdoo, firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    until = max(
        date.fromisoformat(r[0]) for r in peopled.sql("SELECT value FROM burnline_firm WHERE key = 'history_until'")
    )
    later = until + timedelta(8)
    monkeypatch.setattr(worker, "firm_today", lambda: later)
    Firm(peopled.database, seed=7, rate=1).prepare()
    added = peopled.sql(
        "SELECT DISTINCT date FROM account_analytic_line WHERE date > ? AND holiday_id IS NULL",
        until.isoformat(),
    )
    assert peopled.sql(WRONG_TASK_SUMS) == [(0,)]
    working = {until + timedelta(n) for n in range(1, 8)} - holidays(until, later).keys()
    assert {date.fromisoformat(row[0]) for row in added} == {day for day in working if day.weekday() < 5}


def test_a_file_of_other_people_is_refused(odoo: EmbeddedOdoo) -> None:
    with odoo.database.change() as env:
        env.create("hr.employee", {"name": "Somebody"})
    with pytest.raises(Fatal, match="employees") as caught:
        Firm(odoo.database, seed=7, rate=1).prepare()
    assert "--empty" in caught.value.remedy


def test_what_the_firm_remembers_is_what_the_data_says(peopled: EmbeddedOdoo, firm: Firm) -> None:
    state = firm._recall()
    for _ in range(120):
        state = firm._batch(state, 25, 20.0)
    state = firm._commit_late(state, 0.0, everything=True)
    assert firm.status({})["refused"] == 0
    with peopled.store.read() as db:
        known = recall(db, worker.firm_today())
    assert state.lines == known.lines
    assert {k: v for k, v in state.load.items() if v} == pytest.approx({k: v for k, v in known.load.items() if v})
    assert {p: b.hours for p, b in state.budgets.items()} == pytest.approx(
        {p: b.hours for p, b in known.budgets.items()}
    )
    assert {p: b.allocated for p, b in state.budgets.items()} == {p: b.allocated for p, b in known.budgets.items()}
    assert state.invoices == known.invoices
    assert (state.archived, sorted(state.milestones)) == (known.archived, sorted(known.milestones))
    assert state.expenses == known.expenses
    assert state.requests == known.requests


def test_all_kinds_of_work_happen(peopled: EmbeddedOdoo, firm: Firm) -> None:
    before = dict(peopled.sql("SELECT 'lines', max(id) FROM account_analytic_line"))
    state = firm._recall()
    for _ in range(120):
        state = firm._batch(state, 25, 10.0)
    firm._commit_late(state, 0.0, everything=True)
    touched = {row[0] for row in peopled.sql("SELECT DISTINCT model FROM burnline_commit")}
    assert touched >= {
        "account.analytic.line",
        "account.move",
        "account.payment",
        "project.project",
        "project.milestone",
        "project.task",
        "hr.expense",
        "hr.leave",
        "purchase.order",
    }
    assert peopled.sql("SELECT max(id) FROM account_analytic_line")[0][0] > before["lines"]
    assert firm.status({})["late_committed"] > 0
    assert peopled.sql(WRONG_TASK_SUMS) == [(0,)]


def test_late_commits_bring_stamps_older_than_those_already_seen(peopled: EmbeddedOdoo, firm: Firm) -> None:
    state = firm._recall()
    for _ in range(40):
        state = firm._batch(state, 25, 500.0)
    assert firm.status({})["late_in_flight"] > 0
    ((newest,),) = peopled.sql("SELECT max(write_date) FROM account_analytic_line")
    ((last,),) = peopled.sql("SELECT max(seq) FROM burnline_commit")
    firm._commit_late(state, 0.0, everything=True)
    older = peopled.sql(
        "SELECT count(*) FROM burnline_commit c JOIN account_analytic_line l ON l.id = c.res_id"
        " WHERE c.seq > ? AND c.model = 'account.analytic.line' AND l.write_date < ?",
        last,
        newest,
    )
    assert older[0][0] > 0


def test_a_pause_returns_with_nothing_pending_and_nothing_moves_until_the_firm_goes_on(
    peopled: EmbeddedOdoo, firm: Firm
) -> None:
    firm.start()
    wait_until(lambda: firm.status({})["late_in_flight"] > 0)
    paused = firm.pause({})
    assert (paused["running"], paused["late_in_flight"], paused["failure"]) == (False, 0, "")
    seen = peopled.sql("SELECT max(seq) FROM burnline_commit")
    firm.set_rate({"per_second": 100})
    assert firm.status({})["changes"] == paused["changes"]
    assert peopled.sql("SELECT max(seq) FROM burnline_commit") == seen
    assert firm.resume({})["running"] is True
    wait_until(lambda: peopled.sql("SELECT max(seq) FROM burnline_commit") > seen)


def test_a_new_look_at_the_data_leaves_out_what_late_transactions_hold(peopled: EmbeddedOdoo, firm: Firm) -> None:
    state = firm._recall()
    for _ in range(40):
        state = firm._batch(state, 25, 500.0)
    assert firm.status({})["late_in_flight"] > 0
    assert firm._recall().lines == state.lines


def test_somebody_elses_deletion_is_survived(peopled: EmbeddedOdoo, firm: Firm) -> None:
    state = firm._recall()
    with peopled.database.change() as env:
        env.unlink("account.analytic.line", list(state.lines))
    for _ in range(40):
        state = firm._batch(state, 25, 20.0)
    assert firm.status({})["refused"] > 0
    assert state.lines.keys() <= {row[0] for row in peopled.sql("SELECT id FROM account_analytic_line")}


@pytest.mark.parametrize("rate", [-1, 501, "fast", None, True])
def test_a_rate_that_is_none_is_refused(firm: Firm, rate: object) -> None:
    with pytest.raises(ValueError, match="changes per second"):
        firm.set_rate({"per_second": rate})


@pytest.mark.parametrize(
    ("year", "day"),
    [(2024, date(2024, 3, 31)), (2025, date(2025, 4, 20)), (2026, date(2026, 4, 5)), (2038, date(2038, 4, 25))],
)
def test_easter(year: int, day: date) -> None:
    assert easter(year) == day


def test_holidays_lie_between_the_days_asked_for() -> None:
    assert list(holidays(date(2026, 5, 1), date(2026, 5, 25))) == [
        date(2026, 5, 1),
        date(2026, 5, 14),
        date(2026, 5, 25),
    ]


def test_time_is_written_on_weekdays() -> None:
    assert workdays_until(date(2026, 11, 22), 3) == [date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)]
