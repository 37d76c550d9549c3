"""What Odoo's own database says beside what a subscriber of committed records has seen: the comparison that shares no code with the capture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings
from schemas import codec
from tests.support.odoo_lab import OwnLab

Values = tuple[str, ...]
DOCUMENTS = "('out_invoice', 'out_refund', 'in_invoice', 'in_refund')"
SETTLED = f"""
    select payment_id, invoice_id from account_move__account_payment
    union
    select payment.id, invoice.id from account_payment payment
    join account_move_line line on line.move_id = payment.move_id
    join account_account account on account.id = line.account_id and account.account_type in ('asset_receivable', 'liability_payable')
    join account_partial_reconcile part on line.id in (part.debit_move_id, part.credit_move_id)
    join account_move_line other on other.id in (part.debit_move_id, part.credit_move_id) and other.id != line.id
    join account_move invoice on invoice.id = other.move_id and invoice.move_type in {DOCUMENTS}
"""  # noqa: S608  words of our own
INVOICES = f"""
    select id, move_type, case state when 'cancel' then 'cancelled' else state end, payment_state, (amount_total * 10000)::bigint,
        (amount_residual * 10000)::bigint, partner_id, invoice_date, invoice_date_due, reversed_entry_id
    from account_move where move_type in {DOCUMENTS}
"""  # noqa: S608  as above
PAYMENTS = f"""
    with settled as ({SETTLED})
    select id, case state when 'canceled' then 'cancelled' else state end, (amount * 10000)::bigint, date, partner_id,
        (select string_agg(invoice_id::text, ' ' order by invoice_id) from settled where payment_id = account_payment.id)
    from account_payment
"""  # noqa: S608  as above


class Truth(NamedTuple):
    """One topic: a query of ids and values, and the same values from a state; None for a state that the query leaves out."""

    model: str
    query: str
    seen: Callable[[Any], Values | None]


def _text(*values: object) -> Values:
    return tuple("" if value is None else str(value) for value in values)


def _cents(value: Any) -> int:
    return int(value * 10_000)


TRUTHS = {
    "delivery.timesheet.v1": Truth(
        "account.analytic.line",
        "select id, round(unit_amount * 60)::int, date, employee_id, project_id from account_analytic_line where project_id is not null",
        lambda now: _text(now["minutes"], now["date"], now["employee_id"], now["project_id"]),
    ),
    "people.consultant.v1": Truth(
        "hr.employee",
        "select e.id, r.active::text, e.name from hr_employee e join resource_resource r on r.id = e.resource_id",
        lambda now: _text(str(now["active"]).lower(), now["name"]),
    ),
    "delivery.project.v1": Truth(
        "project.project",
        "select id, active::text, name->>'en_US' from project_project where not coalesce(is_template, false)",
        lambda now: _text(str(now["active"]).lower(), now["name"]),
    ),
    "finance.invoice.v1": Truth(
        "account.move",
        INVOICES,
        lambda now: _text(
            now["move_type"], now["status"], now["payment_status"], _cents(now["total"]), _cents(now["residual"]),
            now["partner_id"], now["invoice_date"], now["due_date"], now["reversed_id"],
        ),
    ),
    "finance.payment.v1": Truth(
        "account.payment",
        PAYMENTS,
        lambda now: _text(
            now["status"], _cents(now["amount"]), now["date"], now["partner_id"], " ".join(map(str, now["invoice_ids"])),
        ),
    ),
    "finance.dispute.v1": Truth(
        "account.move",
        "select id, 'open' from account_move where move_type = 'out_invoice' and state = 'posted' and payment_state = 'blocked'",
        lambda now: None if now["status"] in {"resolved", "withdrawn"} else _text(now["status"]),
    ),
}  # fmt: skip


class Seen:
    """Everything that a subscriber of committed records ever sees of this Odoo on these topics."""

    def __init__(self, kafka: KafkaSettings, database: str) -> None:
        self.by_key: dict[tuple[str, int], list[Any]] = defaultdict(list)
        self.raw: dict[str, set[bytes]] = defaultdict(set)
        self.count = 0
        for name, truth in TRUTHS.items():
            prefix = f"odoo:{database}:{truth.model}:"
            for record in read_to_end(kafka, name):
                key, value = (record.key() or b"").decode(), record.value()
                if key.startswith(prefix) and value is not None:
                    event = codec.decode(value).value
                    self.by_key[name, int(key.removeprefix(prefix))].append(event)
                    self.raw[event["meta"]["event_id"]].add(value)
                    self.count += 1

    def present(self, name: str) -> dict[int, Values]:
        """By id, what the last event of each record says, unless that it is gone."""
        found: dict[int, Values] = {}
        for (of, number), events in self.by_key.items():
            state = events[-1]["current"] if of == name else None
            if state is not None and (values := TRUTHS[name].seen(state)) is not None:
                found[number] = values
        return found


def differences(lab: OwnLab, kafka: KafkaSettings) -> list[str]:
    """In words, each record of which the topic says something else than the database."""
    seen = Seen(kafka, lab.db)
    found: list[str] = []
    for name, truth in TRUTHS.items():
        there = {int(row[0]): tuple(row[1:]) for row in lab.sql(truth.query)}
        told = seen.present(name)
        found += [
            f"{name} {one}: {there.get(one)} became {told.get(one)}"
            for one in sorted(there.keys() | told.keys())
            if there.get(one) != told.get(one)
        ]
    return found
