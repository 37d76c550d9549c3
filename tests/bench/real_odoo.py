"""The real Odoo of the lab (../shared/odoo/lab), for figures that an embedded one cannot give. Rows are made, and taken away again, by SQL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.settings import OdooSettings

LAB = Path(__file__).resolve().parents[3] / "shared" / "odoo" / "lab"
MAKE = """insert into account_analytic_line (name, date, amount, unit_amount, project_id, employee_id, user_id, company_id,
  currency_id, account_id, create_uid, create_date, write_uid, write_date)
select 'bench-audit', date '2025-12-01' + (g % 300), -round((g % 8 + 1) * 50.0, 2), g % 8 + 1, p.id, e.id, 2, 1, 1, p.account_id,
  2, now() at time zone 'utc' - interval '1 day', 2, now() at time zone 'utc' - interval '1 day'
from generate_series(1, {rows}) g, (select id, account_id from project_project order by id limit 1) p,
  (select id from hr_employee order by id limit 1) e"""
UNMAKE = "delete from account_analytic_line where name = 'bench-audit'"


def lacking() -> str | None:
    """Why there is no real Odoo to measure, or None where there is one."""
    if os.environ.get("BURNLINE_BENCH_ODOO") == "none":
        return "BURNLINE_BENCH_ODOO is none"
    return None if LAB.exists() else "no Odoo lab at ../shared/odoo/lab"


def lab(*arguments: str) -> str:
    return subprocess.run([str(LAB), *arguments], check=True, capture_output=True, text=True, timeout=300).stdout


@contextmanager
def odoo_with(rows: int) -> Iterator[OdooSettings]:
    """The lab's Odoo, with so many timesheets more while it lasts."""
    told = dict(line.split("=", 1) for line in lab("up").splitlines() if "=" in line)
    lab("sql", UNMAKE)
    lab("sql", MAKE.format(rows=rows))
    given = {"url": "ODOO_URL", "db": "ODOO_DB", "user": "ODOO_USER", "password": "ODOO_PASSWORD"}
    try:
        yield OdooSettings(**{key: told[name] for key, name in given.items()}, timeout=120)  # type: ignore[arg-type]
    finally:
        lab("sql", UNMAKE)
