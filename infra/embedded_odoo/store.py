"""One SQLite file that holds the firm, with the tables and columns of Odoo's PostgreSQL.

Write-ahead logging: others may read the file while the server writes it, and a killed server loses nothing that it
had committed. One transaction writes at a time. A transaction's stamp is the time it began, as in PostgreSQL; a
transaction that was open while others committed brings an older stamp (`began`).

Inside every committing transaction `burnline_commit` receives a row for each record touched, with the time as close to
the commit as can be: the ground truth of a latency.
"""

import queue
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from infra.embedded_odoo.fields import Model
from infra.embedded_odoo.models import MODELS
from infra.embedded_odoo.statements import statement
from infra.embedded_odoo.values import stamp
from infra.errors import Fatal

Action = Literal["create", "write", "unlink"]
Rows = Mapping[str, Sequence[Mapping[str, Any]]]
Links = Mapping[str, Iterable[Sequence[int]]]

_INDEXED = (
    ("account_analytic_line", "project_id"),
    ("account_analytic_line", "employee_id"),
    ("account_analytic_line", "task_id"),
    ("account_analytic_line", "date"),
    ("hr_version", "employee_id"),
    ("ir_model_data", "name"),
    ("burnline_commit", "res_id"),
    ("account_move__account_payment", "payment_id"),
)


@dataclass(slots=True)
class Change:
    """One open transaction: its connection, its stamp, and the records it touched."""

    db: sqlite3.Connection
    stamp: str
    late: bool = False
    """It began before others committed: what changed since then must make it run again."""
    touched: dict[tuple[str, int], Action] = field(default_factory=dict)
    last: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    """The last values of the records it deleted."""

    def touch(self, model: str, record_id: int, action: Action) -> None:
        """Remember a record for `burnline_commit` and for the hints; creation and deletion outrank a write."""
        if action != "write" or (model, record_id) not in self.touched:
            self.touched[model, record_id] = action


class Store:
    """The file, its one writer and its readers; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; Fatal when it is not a firm's file or cannot be written."""
        self.path = path
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._ids: defaultdict[str, int] = defaultdict(int)
        self._ids_lock = threading.Lock()
        try:
            self._writer = self._connect()
            self._create_tables()
        except sqlite3.Error as error:
            raise Fatal(
                f"The data file of the embedded Odoo, {path}, cannot be used: {error}.",
                remedy="Give another file with --data, or delete this one to start a new firm.",
            ) from error

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA case_sensitive_like = ON")
        db.execute("PRAGMA cache_size = -4000")
        return db

    def _create_tables(self) -> None:
        db = self._writer
        db.execute("BEGIN IMMEDIATE")
        for model in MODELS.values():
            columns = [f"{f.name} {f.sql_type}" for f in model.fields.values() if f.is_column and f.name != "id"]
            body = ", ".join(["id INTEGER PRIMARY KEY AUTOINCREMENT", *columns])
            db.execute(f"CREATE TABLE IF NOT EXISTS {model.table} ({body})")
            there = {row[1] for row in db.execute(f"PRAGMA table_info({model.table})")}
            for column in columns:  # a file of an earlier version has fewer fields
                if column.split()[0] not in there:
                    db.execute(f"ALTER TABLE {model.table} ADD COLUMN {column}")
            for link in model.fields.values():
                if link.type == "many2many":
                    mine, other = sorted(link.columns)
                    columns_of_link = f"{mine} INTEGER, {other} INTEGER, PRIMARY KEY ({mine}, {other})"
                    db.execute(f"CREATE TABLE IF NOT EXISTS {link.table} ({columns_of_link})")
        db.execute(
            "CREATE TABLE IF NOT EXISTS burnline_commit"
            " (seq INTEGER PRIMARY KEY, model TEXT, res_id INTEGER, committed_at_us INTEGER)",
        )
        db.execute("CREATE TABLE IF NOT EXISTS burnline_firm (key TEXT PRIMARY KEY, value TEXT)")
        for table, column in _INDEXED:
            db.execute(f"CREATE INDEX IF NOT EXISTS {table}_{column} ON {table} ({column})")
        db.execute("COMMIT")
        self._ids.update(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())

    def close(self) -> None:
        """Close every connection; the file is then complete without its log."""
        with self._lock:
            while not self._readers.empty():
                self._readers.get().close()
            self._writer.close()

    def new_id(self, model: str) -> int:
        """The next id of a model, taken now as from a sequence: what commits late has older ids, too."""
        table = MODELS[model].table
        with self._ids_lock:
            self._ids[table] += 1
            return self._ids[table]

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection on one snapshot of what is committed."""
        try:
            db = self._readers.get_nowait()
        except queue.Empty:
            db = self._connect()
        db.execute("BEGIN")
        try:
            yield db
        finally:
            db.execute("COMMIT")
            self._readers.put(db)

    @contextmanager
    def write(self, began: str = "") -> Iterator[Change]:
        """A transaction that commits on leaving, or leaves no trace when the body raises."""
        with self._lock:
            change = Change(self._writer, began or stamp(datetime.now(UTC)), late=bool(began))
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield change
                self._record_commit(change)
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise

    def _record_commit(self, change: Change) -> None:
        now = time.time_ns() // 1000
        change.db.executemany(
            "INSERT INTO burnline_commit (model, res_id, committed_at_us) VALUES (?, ?, ?)",
            [(model, record_id, now) for model, record_id in change.touched],
        )

    def fill(self, rows: Rows, links: Links, facts: Mapping[str, str]) -> None:
        """Insert rows as they are, by model, pairs by relation table, and facts about the firm; all or nothing."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                for name, records in rows.items():
                    _insert(self._writer, MODELS[name], records)
                for table, pairs in links.items():
                    self._writer.executemany(statement("INSERT INTO", table, "VALUES (?, ?)"), pairs)
                self._writer.executemany("INSERT OR REPLACE INTO burnline_firm VALUES (?, ?)", facts.items())
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            with self._ids_lock:
                self._ids.update(self._writer.execute("SELECT name, seq FROM sqlite_sequence").fetchall())

    def setting(self, key: str) -> str:
        """A remembered fact about the firm, or the empty string."""
        with self.read() as db:
            row = db.execute("SELECT value FROM burnline_firm WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""


def _insert(db: sqlite3.Connection, model: Model, records: Sequence[Mapping[str, Any]]) -> None:
    columns = model.columns
    marks = ", ".join("?" * len(columns))
    insert = statement("INSERT INTO", model.table, "(", ", ".join(columns), ") VALUES (", marks, ")")
    db.executemany(insert, ([record.get(column) for column in columns] for record in records))
