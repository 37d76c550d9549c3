"""A firm in memory: a source that publishes versions of records, and the processors that follow it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from schemas import codec, events, topics
from streams.core import (
    Contribution,
    Measures,
    PartitionState,
    measures,
    processors,
    restore,
    route,
    step,
)

ROOT = Path(__file__).resolve().parents[4]
MONDAY_TO_FRIDAY = [480, 480, 480, 480, 480, 0, 0]
SECOND = 1_000_000


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def instant(text: str) -> int:
    """Microseconds of an ISO moment in UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def unscaled(value: str | float, scale: int = 4) -> bytes:
    number = int(Decimal(str(value)).scaleb(scale))
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def key(model: str, number: int) -> str:
    return f"odoo:db:{model}:{number}"


class Source:
    """Publishes states of records as events in wire form; knows each record's version and what it published last."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, str], tuple[int, Any]] = {}
        self._now = instant("2025-01-01")

    def publish(
        self, topic: str, subject: str, state: Any, *, at: int | None = None, source: str = "odoo:db"
    ) -> tuple[str, Any]:
        """The event of a new state, or of a deletion where it is null. Its bytes go through the codec, as in the topic."""
        self._now = self._now + SECOND if at is None else at
        version, previous = self._last.get((topic, subject, source), (0, None))
        version += 1
        self._last[topic, subject, source] = (version, state)
        contract = topics.topic(topic)
        meta = {
            "event_id": events.event_id(source, subject, version, topic),
            "event_type": topic,
            "source": source,
            "subject": subject,
            "occurred_at": self._now,
            "recorded_at": self._now,
            "version": version,
            "correlation_id": events.event_id(source, subject, version, topic),
            "causation_id": None,
            "mode": "poll",
            "tenant": "db",
            "company_id": 1,
        }
        event = {"meta": meta, "previous": previous, "current": state, "changed": []}
        return topic, codec.decode_wire(codec.encode_wire(contract.record, event)).value

    def timesheet(self, line: int, state: dict[str, Any] | None, at: int | None = None) -> tuple[str, Any]:
        return self.publish(
            "delivery.timesheet.v1",
            key("account.analytic.line", line),
            None if state is None else timesheet(line, **state),
            at=at,
        )

    def consultant(self, number: int, at: int | None = None, **fields: Any) -> tuple[str, Any]:
        return self.publish("people.consultant.v1", key("hr.employee", number), consultant(number, **fields), at=at)

    def absence(self, number: int, state: dict[str, Any] | None, at: int | None = None) -> tuple[str, Any]:
        return self.publish(
            "people.absence.v1", key("hr.leave", number), None if state is None else absence(number, **state), at=at
        )

    def project(self, number: int, at: int | None = None, **fields: Any) -> tuple[str, Any]:
        return self.publish("delivery.project.v1", key("project.project", number), project(number, **fields), at=at)

    def milestone(self, number: int, state: dict[str, Any] | None) -> tuple[str, Any]:
        return self.publish(
            "delivery.milestone.v1",
            key("project.milestone", number),
            None if state is None else milestone(number, **state),
        )

    def invoice(self, number: int, at: int | None = None, **fields: Any) -> tuple[str, Any]:
        return self.publish("finance.invoice.v1", key("account.move", number), invoice(number, **fields), at=at)

    def dispute(
        self, number: int, state: dict[str, Any] | None, at: int | None = None, source: str = "odoo:db"
    ) -> tuple[str, Any]:
        return self.publish(
            "finance.dispute.v1",
            key("account.move", number),
            None if state is None else dispute(number, **state),
            at=at,
            source=source,
        )

    def expense(self, number: int, state: dict[str, Any] | None) -> tuple[str, Any]:
        return self.publish(
            "finance.expense.v1", key("hr.expense", number), None if state is None else expense(number, **state)
        )

    def purchase(self, number: int, state: dict[str, Any] | None) -> tuple[str, Any]:
        return self.publish(
            "finance.purchase-order.v1",
            key("purchase.order", number),
            None if state is None else purchase(number, **state),
        )

    def client(self, number: int, at: int | None = None, **fields: Any) -> tuple[str, Any]:
        return self.publish("sales.client.v1", key("res.partner", number), client(number, **fields), at=at)

    def contract(self, number: int, at: int | None = None, **fields: Any) -> tuple[str, Any]:
        return self.publish("sales.contract.v1", key("sale.order", number), contract(number, **fields), at=at)

    def assignment(self, task: int, user: int, state: dict[str, Any] | None, at: int | None = None) -> tuple[str, Any]:
        return self.publish(
            "delivery.assignment.v1",
            f"{key('project.task', task)}:{user}",
            None if state is None else assignment(task, user, **state),
            at=at,
        )

    def task(self, number: int, state: dict[str, Any] | None, at: int | None = None) -> tuple[str, Any]:
        return self.publish(
            "delivery.task.v1",
            key("project.task", number),
            None if state is None else task(number, **state),
            at=at,
        )

    def approval(self, number: int, state: dict[str, Any] | None, at: int | None = None) -> tuple[str, Any]:
        return self.publish(
            "governance.approval.v1",
            f"n8n:approval:{number}",
            None if state is None else approval(number, **state),
            at=at,
            source="n8n",
        )

    def change_request(self, number: int, state: dict[str, Any] | None, at: int | None = None) -> tuple[str, Any]:
        return self.publish(
            "delivery.change-request.v1",
            key("sale.order", number),
            None if state is None else change_request(number, **state),
            at=at,
        )

    def skill(self, number: int, state: dict[str, Any] | None, at: int | None = None) -> tuple[str, Any]:
        return self.publish(
            "people.skill.v1",
            key("hr.employee.skill", number),
            None if state is None else skill(number, **state),
            at=at,
        )

    @staticmethod
    def tick(at: int) -> tuple[str, Any]:
        head = {"subject": "clock:0", "version": 1, "occurred_at": at, "recorded_at": at, "tenant": "db"}
        return "ops.clock.v1", {"meta": head, "current": {"partition": 0, "at": at, "period_seconds": 60}}


def timesheet(number: int, **fields: Any) -> dict[str, Any]:
    fields["cost"] = unscaled(fields.get("cost", 0))
    return {
        "id": number,
        "employee_id": 1,
        "user_id": None,
        "project_id": 1,
        "task_id": None,
        "company_id": 1,
        "date": 0,
        "minutes": 60,
        "billable": True,
        "billable_type": None,
        "leave": False,
        "approved": False,
        "status": "logged",
        "currency": "EUR",
        "invoice_id": None,
        "order_line_id": None,
        **fields,
    }


def consultant(number: int, **fields: Any) -> dict[str, Any]:
    cost = fields.pop("hourly_cost", None)
    return {
        "id": number,
        "name": f"Consultant {number}",
        "department_id": 7,
        "manager_id": 9,
        "user_id": None,
        "company_id": 1,
        "active": True,
        "employed_from": None,
        "employed_to": None,
        "hourly_cost": None if cost is None else unscaled(cost),
        "currency": "EUR",
        "timezone": "Europe/Brussels",
        "calendar_id": 1,
        "weekday_minutes": MONDAY_TO_FRIDAY,
        **fields,
    }


def absence(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "kind": "leave",
        "status": "approved",
        "employee_id": 1,
        "calendar_id": None,
        "company_id": None,
        "minutes": None,
        **fields,
    }


def project(number: int, **fields: Any) -> dict[str, Any]:
    cost = fields.pop("budget_cost", None)
    return {
        "id": number,
        "name": f"Project {number}",
        "client_id": 3,
        "manager_id": 4,
        "company_id": 1,
        "currency": "EUR",
        "timezone": "Europe/Brussels",
        "account_id": None,
        "budget_minutes": 12_000,
        "budget_cost": None if cost is None else unscaled(cost),
        "starts_on": None,
        "ends_on": None,
        "active": True,
        "status": None,
        **fields,
    }


def milestone(number: int, **fields: Any) -> dict[str, Any]:
    share = fields.pop("share", None)
    return {
        "id": number,
        "name": f"Milestone {number}",
        "project_id": 1,
        "deadline": None,
        "reached": True,
        "reached_on": None,
        "share": None if share is None else unscaled(share, 9),
        "company_id": 1,
        **fields,
    }


def expense(number: int, **fields: Any) -> dict[str, Any]:
    shares = [
        {"account_id": account, "project_id": project_id, "share": unscaled(share, 9)}
        for account, (project_id, share) in enumerate(fields.pop("shares", [(1, "1")]))
    ]
    fields["amount"] = unscaled(fields.get("amount", 0))
    return {
        "id": number,
        "employee_id": 1,
        "date": 0,
        "status": "approved",
        "currency": "EUR",
        "distribution": shares,
        "company_id": 1,
        **fields,
    }


def purchase(number: int, **fields: Any) -> dict[str, Any]:
    fields["company_amount"] = fields["amount"] = unscaled(fields.get("amount", 0))
    fields["billed_amount"] = unscaled(fields.get("billed_amount", 0))
    return {
        "id": number,
        "number": f"P{number}",
        "vendor_id": 5,
        "project_id": 1,
        "status": "confirmed",
        "ordered_on": None,
        "currency": "EUR",
        "company_currency": "EUR",
        "invoiced": False,
        "company_id": 1,
        "ordered_minutes": None,
        "billed_minutes": None,
        **fields,
    }


def client(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Client {number}",
        "reference": None,
        "is_company": True,
        "parent_id": None,
        "country": None,
        "active": True,
        "company_id": None,
        "tier": None,
        **fields,
    }


def contract(number: int, **fields: Any) -> dict[str, Any]:
    """An order; `lines` are (project, amount, further fields)."""
    lines = [
        contract_line(100 * number + place, project_id, amount, **more)
        for place, (project_id, amount, more) in enumerate(fields.pop("lines", []))
    ]
    amount = fields.pop("amount", 0)
    of_company = fields.pop("company_amount", amount)
    return {
        "id": number,
        "number": f"S{number}",
        "client_reference": None,
        "status": "confirmed",
        "locked": False,
        "client_id": 3,
        "opportunity_id": None,
        "project_id": None,
        "project_ids": [],
        "responsible_id": None,
        "quoted_on": None,
        "valid_until": None,
        "signed_at": None,
        "confirmed_at": None,
        "amount": None if amount is None else unscaled(amount),
        "currency": "EUR",
        "company_amount": None if of_company is None else unscaled(of_company),
        "company_currency": "EUR",
        "invoiced_amount": unscaled(0),
        "invoice_status": "nothing",
        "lines": lines,
        "company_id": 1,
        **fields,
    }


def task(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Task {number}",
        "project_id": 1,
        "parent_id": None,
        "milestone_id": None,
        "order_line_id": None,
        "status": "in_progress",
        "planned_minutes": None,
        "people": 1,
        "deadline": None,
        "closed_at": None,
        "active": True,
        "company_id": 1,
        **fields,
    }


def approval(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "reference": str(number),
        "title": f"Approval {number}",
        "category": "discount",
        "status": "requested",
        "requester_id": 4,
        "approver_id": 5,
        "alternate_ids": [6],
        "delegated_from_id": None,
        "subject_key": None,
        "amount": None,
        "currency": None,
        "requested_at": 0,
        "due_at": None,
        "decided_at": None,
        "decided_by_id": None,
        "reason": None,
        "company_id": 1,
        **fields,
    }


def change_request(number: int, **fields: Any) -> dict[str, Any]:
    amount = fields.pop("amount", None)
    return {
        "reference": str(number),
        "kind": "order",
        "title": f"Change {number}",
        "status": "raised",
        "project_id": 1,
        "contract_id": None,
        "task_id": None,
        "client_id": 3,
        "minutes": None,
        "amount": None if amount is None else unscaled(amount),
        "currency": None if amount is None else "EUR",
        "requester_id": 4,
        "raised_at": 0,
        "due_on": None,
        "decided_at": None,
        "decided_by_id": None,
        "reason": None,
        "company_id": 1,
        **fields,
    }


def skill(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "employee_id": 1,
        "skill_id": number,
        "skill": f"Skill {number}",
        "skill_type_id": 1,
        "skill_type": "Certifications",
        "certification": True,
        "level_id": 1,
        "level": "Professional",
        "level_percent": 80,
        "valid_from": None,
        "valid_to": None,
        "status": "valid",
        "company_id": 1,
        **fields,
    }


def contract_line(number: int, project_id: int | None, amount: float, **fields: Any) -> dict[str, Any]:
    for name in ("quantity", "delivered", "invoiced"):
        fields[name] = unscaled(fields.get(name, 0), 9)
    fields["unit_price"] = unscaled(fields.get("unit_price", 0))
    fields["discount"] = unscaled(fields.get("discount", 0), 9)
    return {
        "id": number,
        "name": f"Line {number}",
        "product_id": None,
        "kind": "time_and_material",
        "unit": "Hours",
        "amount": unscaled(amount),
        "project_id": project_id,
        "task_id": None,
        **fields,
    }


def assignment(task: int, user: int, **fields: Any) -> dict[str, Any]:
    return {
        "task_id": task,
        "task": f"Task {task}",
        "user_id": user,
        "employee_id": user,
        "project_id": 1,
        "milestone_id": None,
        "order_line_id": None,
        "status": "in_progress",
        "planned_minutes": None,
        "task_minutes": None,
        "people": 1,
        "starts_on": None,
        "ends_on": None,
        "required_skill_ids": [],
        "company_id": 1,
        **fields,
    }


def invoice(number: int, **fields: Any) -> dict[str, Any]:
    """A document; `shares` are (project, amount, part of it that bills orders)."""
    fields["shares"] = [
        {"account_id": account, "project_id": project, "amount": unscaled(amount), "ordered_amount": unscaled(ordered)}
        for account, (project, amount, ordered) in enumerate(fields.get("shares", []))
    ]
    residual = unscaled(fields.pop("residual", 10_000))
    of_company, total = fields.pop("company_residual", None), fields.pop("total", 10_000)
    company_total = fields.pop("company_total", None)
    return {
        "id": number,
        "number": f"INV/{number}",
        "move_type": "out_invoice",
        "status": "posted",
        "payment_status": "not_paid",
        "partner_id": 3,
        "invoice_date": None,
        "due_date": None,
        "total": unscaled(total),
        "residual": residual,
        "currency": "EUR",
        "company_residual": residual if of_company is None else unscaled(of_company),
        "company_total": unscaled(total if company_total is None else company_total),
        "company_currency": "EUR",
        "timezone": "Europe/Brussels",
        "reversed_id": None,
        "responsible_id": None,
        "overdue": False,
        "company_id": 1,
        **fields,
    }


def dispute(number: int, **fields: Any) -> dict[str, Any]:
    amount = fields.pop("amount", None)
    return {
        "invoice_id": number,
        "status": "open",
        "reason": None,
        "amount": None if amount is None else unscaled(amount),
        "currency": "EUR",
        "opened_on": 0,
        "closed_on": None,
        "client_id": 3,
        "company_id": 1,
        **fields,
    }


class World:
    """All processors, each with one partition; remembers rows, alerts and the last measure of each subject as bytes."""

    def __init__(self, policy: Measures | None = None, *, suspicious: bool = False) -> None:
        self.policy = policy
        self.processors = processors(policy)
        self.partitions = {name: PartitionState() for name in self.processors}
        self.rows: dict[tuple[str, str, str], tuple[str, bytes]] = {}
        self.alerts: list[Any] = []
        self.encoded: dict[tuple[str, str], bytes] = {}
        self.suspicious = suspicious

    def feed(self, *published: tuple[str, Any]) -> World:
        for topic, event in published:
            for contribution in route(topic, event):
                self.apply(contribution)
        return self

    def apply(self, contribution: Contribution) -> None:
        name = contribution.processor
        partition = self.partitions[name]
        if self.suspicious and not self.processors[name].at_ticks:
            for subject in partition.subjects.values():
                subject.calm = False
        out = step(self.processors[name], partition, contribution.kind, contribution.entry)
        for row in out.rows:
            self.rows[name, row.subject, row.record] = (row.kind, codec.encode_wire(row.kind, row.entry))
        for alert in out.alerts:
            codec.encode("burnline.governance.AlertEvent", alert)
            assert (ROOT / alert["current"]["runbook"]).is_file(), alert["current"]["rule"]
            self.alerts.append(alert)
        for derived in out.contributions:
            self.apply(derived)

    def drain(self) -> World:
        for name, processor in self.processors.items():
            for event in measures(processor, self.partitions[name]):
                measured = topics.topic(event["meta"]["event_type"].replace(".measured", ""))
                place = measured.name.split(".")[1], event["meta"]["subject"]
                self.encoded[place] = codec.encode(measured.record, event)
        return self

    def fresh(self) -> World:
        """One of its kind of which nothing has come yet."""
        return World(self.policy)

    def restarted(self, shuffle: random.Random) -> World:
        """A new process that restores its rows, in any order, and goes on."""
        fresh = self.fresh()
        fresh.rows, fresh.alerts, fresh.encoded = dict(self.rows), list(self.alerts), dict(self.encoded)
        rows = list(self.rows.items())
        shuffle.shuffle(rows)
        for (name, subject, record), (kind, data) in rows:
            entry = codec.decode_wire(data).value
            restore(fresh.processors[name], fresh.partitions[name], subject, record, kind, entry)
        return fresh

    def measure(self, name: str, subject: str) -> Any:
        """The last measure of a subject, decoded."""
        return codec.decode(self.encoded[name, subject]).value["current"]

    def utilization(self, number: int = 1) -> Any:
        return self.drain().measure("utilization", key("hr.employee", number))

    def burn(self, number: int = 1) -> Any:
        return self.drain().measure("budget-burn", key("project.project", number))

    def aging(self, number: int = 1) -> Any:
        return self.drain().measure("dispute-aging", key("account.move", number))

    def exposure(self, number: int = 3) -> Any:
        return self.drain().measure("client-exposure", key("res.partner", number))

    def said(self, rule: str = "") -> list[tuple[str, str, str, int]]:
        """What alerts said: rule, level, status, episode."""
        return [
            (a["rule"], a["level"], a["status"], a["episode"])
            for a in (alert["current"] for alert in self.alerts)
            if a["rule"].startswith(rule)
        ]


def values(world: World, without: Iterable[str] = ("revision", "moved_by")) -> dict[tuple[str, str], Any]:
    """All measures without what tells of history."""
    return {
        (name, subject): {field: value for field, value in world.measure(name, subject).items() if field not in without}
        for name, subject in world.encoded
    }
