"""A file of an earlier version goes on being used: what it lacks is added, what it holds stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from infra.embedded_odoo.store import Store


def test_a_file_of_an_earlier_version_is_given_the_fields_that_came_since(tmp_path: Path) -> None:
    file = tmp_path / "firm.db"
    with closing(sqlite3.connect(file)) as before:
        before.execute("CREATE TABLE hr_employee (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)")
        before.execute("INSERT INTO hr_employee (name) VALUES ('Ann')")
        before.commit()

    Store(file).close()
    Store(file).close()

    with closing(sqlite3.connect(file)) as after:
        assert after.execute("SELECT id, name, write_date FROM hr_employee").fetchall() == [(1, "Ann", None)]
