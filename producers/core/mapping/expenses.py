"""What consultants spent, and the projects that bear it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from producers.core.mapping.analytic import accounts_needed, parts_of
from producers.core.mapping.base import Context, Entity, ModelMapping, Period, amount, ids
from producers.core.values import Row, day, money, needed_day, ref, share
from schemas.records import Expense, ExpenseShare, ExpenseStatus

EXPENSE_STATUS: dict[str, ExpenseStatus] = {
    "draft": "drafted",
    "submitted": "submitted",
    "approved": "approved",
    "posted": "posted",
    "in_payment": "paid",
    "paid": "paid",
    "refused": "refused",
}


def expense(row: Row, context: Context, _previous: object) -> Expense:
    """An expense and the accounts that bear it."""
    company_id = ref(row.get("company_id"))
    return {
        "id": row["id"],
        "employee_id": ref(row.get("employee_id")),
        "date": day(row.get("date")) or needed_day(row, "create_date"),
        "status": EXPENSE_STATUS.get(str(row["state"]), "unknown"),
        "amount": money(row["total_amount"]),
        "currency": context.lookups.company(company_id).currency,
        "distribution": distribution(row.get("analytic_distribution"), context.lookups.project_of_account),
        "company_id": company_id,
    }


def distribution(value: object, projects: Mapping[int, int]) -> list[ExpenseShare]:
    """Odoo's percentages as shares by account, in the order of the accounts."""
    shares: dict[int, Decimal] = {}
    for account, part in parts_of(value):
        shares[account] = shares.get(account, Decimal(0)) + part
    return [
        {"account_id": account, "project_id": projects.get(account), "share": share(part)}
        for account, part in sorted(shares.items())
    ]


def expense_verb(previous: Expense | None, current: Expense | None) -> str:
    """The status where it is new, or `changed`."""
    if current is None:
        return "deleted"
    if current["status"] != "unknown" and (previous is None or previous["status"] != current["status"]):
        return current["status"]
    return "changed" if previous is not None else "drafted"


EXPENSE = ModelMapping(
    model="hr.expense",
    module="hr_expense",
    fields=("date", "state", "total_amount"),
    optional=("employee_id", "analytic_distribution", "company_id"),
    entities=(Entity("finance.expense.v1", expense, expense_verb),),
    sums=(amount("total_amount", "amount"), ids("employee_id")),
    period=Period("date", "date"),
    uses=("companies", "project_of_account"),
    needs=accounts_needed,
)
