"""Stamps of transactions that overlap, and what is written at the commit."""

import pytest

from infra.embedded_odoo import EmbeddedOdoo
from infra.embedded_odoo.errors import OdooError


def create(odoo: EmbeddedOdoo, name: str) -> int:
    with odoo.database.change() as env:
        return env.create("res.partner", {"name": name})


def partner(odoo: EmbeddedOdoo, record_id: int) -> tuple[str, str]:
    ((name, stamp),) = odoo.sql("SELECT name, write_date FROM res_partner WHERE id = ?", record_id)
    return name, stamp


def test_what_commits_late_has_an_older_stamp_and_an_older_id(odoo: EmbeddedOdoo) -> None:
    with odoo.transaction() as late:
        slow = late.create("res.partner", {"name": "slow"})
        fast = create(odoo, "fast")
        assert odoo.sql("SELECT id FROM res_partner WHERE id = ?", slow) == []
    assert slow < fast
    assert partner(odoo, slow)[1] < partner(odoo, fast)[1]
    assert partner(odoo, slow)[1] == late.began


def test_the_commit_is_recorded_when_it_happens_and_not_when_it_began(odoo: EmbeddedOdoo) -> None:
    with odoo.transaction() as late:
        slow = late.create("res.partner", {"name": "slow"})
        fast = create(odoo, "fast")
    rows = odoo.sql(
        "SELECT res_id, committed_at_us FROM burnline_commit WHERE model = 'res.partner'"
        " AND res_id IN (?, ?) ORDER BY seq",
        slow,
        fast,
    )
    assert [row[0] for row in rows] == [fast, slow]
    assert rows[0][1] <= rows[1][1]


def test_a_record_that_changed_in_between_makes_the_transaction_start_again(odoo: EmbeddedOdoo) -> None:
    record = create(odoo, "first")
    with odoo.transaction() as late:
        late.write("res.partner", [record], {"name": "late"})
        with odoo.database.change() as env:
            env.write("res.partner", [record], {"name": "quick"})
        between = partner(odoo, record)[1]
    assert partner(odoo, record)[0] == "late"
    assert partner(odoo, record)[1] > between > late.began


def test_a_transaction_that_fails_leaves_nothing(odoo: EmbeddedOdoo) -> None:
    commits = odoo.sql("SELECT count(*) FROM burnline_commit")
    late = odoo.transaction()
    record = late.create("res.partner", {"name": "x"})
    late.unlink("res.partner", [999_999])
    with pytest.raises(OdooError, match="999999"):
        late.commit()
    assert odoo.sql("SELECT id FROM res_partner WHERE id = ?", record) == []
    assert odoo.sql("SELECT count(*) FROM burnline_commit") == commits


def test_an_abandoned_transaction_leaves_nothing(odoo: EmbeddedOdoo) -> None:
    late = odoo.transaction()
    record = late.create("res.partner", {"name": "x"})
    late.__exit__(KeyError, KeyError(), None)
    assert odoo.sql("SELECT id FROM res_partner WHERE id = ?", record) == []


def test_a_method_can_be_called_late(odoo: EmbeddedOdoo) -> None:
    with odoo.database.change() as env:
        values = {"move_type": "out_invoice", "invoice_line_ids": [(0, 0, {"quantity": 1, "price_unit": 10.0})]}
        move = env.create("account.move", values)
    with odoo.transaction() as late:
        late.call("account.move", "action_post", [move])
        late.call("account.move", "action_toggle_block_payment", [move])
    assert odoo.sql("SELECT state, payment_state, write_date FROM account_move WHERE id = ?", move) == [
        ("posted", "blocked", late.began)
    ]


def test_every_record_touched_is_recorded_once_per_commit(odoo: EmbeddedOdoo) -> None:
    with odoo.database.change() as env:
        project = env.create("project.project", {"name": "p"})
        task = env.create("project.task", {"name": "t", "project_id": project})
    known = odoo.sql("SELECT max(seq) FROM burnline_commit")[0][0]
    with odoo.database.change() as env:
        line = env.create("account.analytic.line", {"project_id": project, "task_id": task, "unit_amount": 1.0})
        env.write("account.analytic.line", [line], {"unit_amount": 2.0})
    touched = odoo.sql("SELECT model, res_id FROM burnline_commit WHERE seq > ? ORDER BY model", known)
    assert touched == [("account.analytic.line", line), ("project.task", task)]
