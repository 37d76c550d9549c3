"""Counts and sums that the server adds up itself, as the audit asks for them."""

from tests.contract.odoo.conftest import Client

LINE = "account.analytic.line"


def test_sums_by_month_of_money_hours_and_references(odoo: Client, project: int, employee: int) -> None:
    values = {"name": "w", "project_id": project, "employee_id": employee}
    days = {"2026-03-05": 2.0, "2026-03-31": 1.5, "2026-04-01": 4.0}
    made = [odoo(LINE, "create", {**values, "unit_amount": hours, "date": day}) for day, hours in days.items()]
    aggregates = ["__count", "id:sum", "amount:sum", "unit_amount:sum", "employee_id:sum", "task_id:sum"]
    rows = odoo(LINE, "formatted_read_group", [["project_id", "=", project]], ["date:month"], aggregates)
    assert [{name: row[name] for name in ["date:month", *aggregates]} for row in rows] == [
        {
            "date:month": ["2026-03-01", "March 2026"],
            "__count": 2,
            "id:sum": made[0] + made[1],
            "amount:sum": -175.0,
            "unit_amount:sum": 3.5,
            "employee_id:sum": 2 * employee,
            "task_id:sum": False,
        },
        {
            "date:month": ["2026-04-01", "April 2026"],
            "__count": 1,
            "id:sum": made[2],
            "amount:sum": -200.0,
            "unit_amount:sum": 4.0,
            "employee_id:sum": employee,
            "task_id:sum": False,
        },
    ]


def test_no_records_are_one_row_without_groups_and_none_with_them(odoo: Client, project: int) -> None:
    nobody = [["project_id", "=", project]]
    (row,) = odoo(LINE, "formatted_read_group", nobody, [], ["__count", "id:sum", "amount:sum"])
    assert (row["__count"], row["id:sum"] or 0, row["amount:sum"] or 0) == (0, 0, 0)
    assert odoo(LINE, "formatted_read_group", nobody, ["date:month"], ["__count"]) == []


def test_records_without_a_day_are_a_group_of_their_own(odoo: Client, project: int, unique: str) -> None:
    odoo("project.milestone", "create", {"name": unique, "project_id": project})
    domain = [["project_id", "=", project]]
    (row,) = odoo(
        "project.milestone", "formatted_read_group", domain, ["deadline:month"], ["__count", "project_id:sum"]
    )
    assert (row["deadline:month"], row["__count"], row["project_id:sum"]) == (False, 1, project)


def test_a_read_of_missing_records_leaves_them_out(odoo: Client, project: int) -> None:
    found = odoo("project.project", "read", [project, 2**31 - 2], ["write_date"])
    assert [row["id"] for row in found] == [project]
    assert odoo("project.project", "read", [2**31 - 2], ["write_date"]) == []
