"""The firm at work: writes its history, then lives at a given rate until it is paused or stopped.

One thread. Changes that fall due together share a transaction. Some transactions are held open for seconds and commit
late. A change that the database refuses, because somebody else changed the same records, is undone with its
transaction, counted, and the firm looks at its data anew.
"""

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from infra.embedded_odoo.database import Database, Transaction
from infra.embedded_odoo.errors import OdooError
from infra.embedded_odoo.firm.book import Book
from infra.embedded_odoo.firm.days import span, workdays_until
from infra.embedded_odoo.firm.history import found, set_budgets, work
from infra.embedded_odoo.firm.live import Chooser
from infra.embedded_odoo.firm.memory import plan, recall
from infra.embedded_odoo.firm.money import write_money
from infra.embedded_odoo.firm.sales import write_sales
from infra.embedded_odoo.firm.state import Line, State, Step
from infra.embedded_odoo.models import MODELS
from infra.embedded_odoo.orm import Env
from infra.embedded_odoo.rules import METHODS, sum_tasks
from infra.embedded_odoo.rules_finance import pay
from infra.embedded_odoo.seed import TIMEZONE
from infra.embedded_odoo.values import stamp
from infra.errors import Fatal

HIGHEST_RATE = 500.0
_LARGEST_BATCH = 50
_TICK = 0.02
_LATE_SHARE = 0.02
_LATE_SECONDS = (1.0, 8.0)
_MOST_LATE = 12
_LEAD = timedelta(seconds=30)
"""How long before now the last stamp of the history lies."""


def firm_today() -> date:
    """The day where the firm lives."""
    return datetime.now(ZoneInfo(TIMEZONE)).date()


@dataclass(order=True, slots=True)
class _Late:
    due: float
    number: int
    transaction: Transaction = field(compare=False)
    line: Line = field(compare=False)


class Firm:
    """The simulated firm in one database."""

    def __init__(self, database: Database, seed: int, rate: float, history_days: int = 182) -> None:
        """Work in `database`; the same seed and day give the same history and the same choices."""
        self._database, self._store = database, database.store
        self._history_days = history_days
        self._seed = int(self._store.setting("seed") or seed)
        self._rate = _checked(rate)
        self._rng = Random(self._seed)  # noqa: S311  a simulation that must repeat, no secret
        self._condition = threading.Condition()
        self._paused = self._stopping = False
        self._idle = True
        self._late: list[_Late] = []
        self._changes = self._late_committed = self._refused = 0
        self._started_at = ""
        self._failure = ""
        self._when_over: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="firm")

    def prepare(self) -> None:
        """Write the history of a new firm, or what days have passed since the last one."""
        today, before = firm_today(), stamp(datetime.now(UTC) - _LEAD)
        yesterday = today - timedelta(1)
        written = self._store.setting("history_until")
        first = date.fromisoformat(written) + timedelta(1) if written else today - timedelta(self._history_days)
        book = Book(self._last_ids(), self._rng, first, today, before)
        if written:
            with self._store.read() as db:
                layout = plan(db)
        elif book.upcoming("hr.employee") > 1:
            raise Fatal(
                f"The data file {self._store.path} already holds employees that are not the firm's.",
                remedy="Start with --empty to work on it as it is, or give another file with --data.",
            )
        else:
            layout = found(book)
        work(book, layout, span(first, yesterday))
        if not written:
            set_budgets(book)
            write_money(book, layout)
            write_sales(book, layout)
        facts = {"seed": str(self._seed), "history_until": yesterday.isoformat()}
        self._store.fill(book.rows, book.links, facts)
        if written:
            with self._database.change() as env:
                sum_tasks(env, *(line["task_id"] for line in book.rows["account.analytic.line"]))

    def _last_ids(self) -> dict[str, int]:
        with self._store.read() as db:
            known = dict(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        return {model.name: known.get(model.table, 0) for model in MODELS.values()}

    def start(self, when_over: Callable[[], None] = lambda: None) -> None:
        """Begin to live; `when_over` is called when this life ends, also by a failure."""
        self._when_over = when_over
        self._started_at = stamp(datetime.now(UTC))
        self._thread.start()

    def stop(self) -> None:
        """Commit what is open and end the thread."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def pause(self, _: dict[str, Any]) -> dict[str, Any]:
        """Stand still; returns when the change under way and every late transaction is committed."""
        with self._condition:
            self._paused = True
            self._condition.notify_all()
            self._condition.wait_for(lambda: (self._idle and not self._late) or not self._thread.is_alive())
        return self.status({})

    def resume(self, _: dict[str, Any]) -> dict[str, Any]:
        """Go on."""
        with self._condition:
            self._paused = False
            self._condition.notify_all()
        return self.status({})

    def set_rate(self, request: dict[str, Any]) -> dict[str, Any]:
        """A new pace: `{"per_second": n}`; ValueError when it is none."""
        with self._condition:
            self._rate = _checked(request.get("per_second"))
            self._condition.notify_all()
        return self.status({})

    def status(self, _: dict[str, Any]) -> dict[str, Any]:
        """What the firm is doing."""
        with self._condition:
            return {
                "running": self._thread.is_alive() and not self._paused,
                "per_second": self._rate,
                "changes": self._changes,
                "started_at": self._started_at,
                "seed": self._seed,
                "late_in_flight": len(self._late),
                "late_committed": self._late_committed,
                "refused": self._refused,
                "hints_sent": self._database.hints.sent,
                "hints_lost": self._database.hints.lost,
                "failure": self._failure,
            }

    def controls(self) -> dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]]:
        """The firm's part of the HTTP server."""
        return {
            ("POST", "/firm/pause"): self.pause,
            ("POST", "/firm/resume"): self.resume,
            ("POST", "/firm/rate"): self.set_rate,
            ("GET", "/firm/status"): self.status,
        }

    def _run(self) -> None:
        try:
            self._live()
        except Exception as error:
            with self._condition:
                self._failure = repr(error)
            raise
        finally:
            with self._condition:
                self._idle = True
                self._late.clear()
                self._condition.notify_all()
            self._when_over()

    def _live(self) -> None:
        state, owed, last = self._recall(), 0.0, time.monotonic()
        while True:
            with self._condition:
                self._idle = True
                self._condition.notify_all()
                if not (self._stopping or self._paused):
                    self._condition.wait(_TICK if self._rate else 1.0)
                rate, quiet = self._rate, self._stopping or self._paused
                self._idle = False
            now = time.monotonic()
            state = self._commit_late(state, now, everything=quiet)
            if quiet:
                if self._wait_while_paused():
                    return
                state, owed, last = self._recall(), 0.0, time.monotonic()
                continue
            owed, last = min(owed + (now - last) * rate, float(_LARGEST_BATCH)), now
            if state.days != workdays_until(firm_today(), len(state.days)):
                state = self._recall()
            if int(owed):
                state = self._batch(state, int(owed), rate)
                owed -= int(owed)

    def _wait_while_paused(self) -> bool:
        """Whether to end instead of going on."""
        with self._condition:
            self._idle = True
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._stopping or not self._paused)
            self._idle = False
            return self._stopping

    def _recall(self) -> State:
        """The state by the data, without the lines that late transactions hold."""
        with self._store.read() as db:
            state = recall(db, firm_today())
        for late in self._late:
            if late.line.id in state.lines:
                state.take(state.lines[late.line.id])
        return state

    def _batch(self, state: State, count: int, rate: float) -> State:
        chooser = Chooser(state, self._rng, self._store.new_id, rate)
        changes: list[list[Step]] = []
        for _ in range(count):
            if len(self._late) < _MOST_LATE and self._rng.random() < _LATE_SHARE:
                self._open_late(state, chooser)
            else:
                changes.append(chooser.next(firm_today()))
        if not changes:
            return state
        try:
            with self._database.change() as env:
                for steps in changes:
                    for step in steps:
                        _apply(env, step)
        except OdooError:
            return self._after_refusal()
        self._count(len(changes))
        return state

    def _open_late(self, state: State, chooser: Chooser) -> None:
        """Begin a transaction now that will commit in a while; until then nobody else touches its line.

        It names no task: a task that others stamp meanwhile would make it start again, with a new stamp.
        """
        transaction = self._database.transaction()
        today = firm_today()
        for step in chooser.log(today) or chooser.no_op(today):
            values = step.values | {"task_id": None} if step.verb == "create" else step.values
            transaction.run(partial(_apply, step=replace(step, values=values)))
            line = state.lines[step.id]
            state.take(line)
            due = time.monotonic() + self._rng.uniform(*_LATE_SECONDS)
            with self._condition:
                heapq.heappush(self._late, _Late(due, step.id, transaction, line))

    def _commit_late(self, state: State, now: float, *, everything: bool) -> State:
        while self._late and (everything or self._late[0].due <= now):
            late = self._late[0]
            try:
                late.transaction.commit()
                refused = False
            except OdooError:
                refused = True
            with self._condition:
                heapq.heappop(self._late)
            if refused:
                state = self._after_refusal()
            else:
                state.put(late.line)
                self._count(1, late=1)
        return state

    def _after_refusal(self) -> State:
        with self._condition:
            self._refused += 1
        return self._recall()

    def _count(self, changes: int, late: int = 0) -> None:
        with self._condition:
            self._changes += changes
            self._late_committed += late


def _apply(env: Env, step: Step) -> None:
    if step.verb == "create":
        env.create(step.model, step.values, step.id)
    elif step.verb == "write":
        env.write(step.model, [step.id], step.values)
    elif step.verb == "unlink":
        env.unlink(step.model, [step.id])
    elif step.verb == "pay":
        pay(env, step.id, step.values["amount"], step.values["day"])
    else:
        METHODS[step.model, step.verb](env, [step.id])


def _checked(rate: Any) -> float:
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= HIGHEST_RATE:
        raise ValueError(f"the rate must be a number of changes per second from 0 to {HIGHEST_RATE:g}, not {rate!r}")
    return float(rate)
