"""Two companies, each with a currency, in a real Odoo of one's own: what events say of whose money, and what is told by a user who is let into one of them alone."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import odoorpc
import pytest
from pydantic import SecretStr

import producers.capture
from infra.embedded_kafka import EmbeddedKafka
from infra.kafka.reader import read_to_end
from infra.settings import KafkaSettings, OdooSettings, Settings
from producers.audit import Difference, Outcome, Request, run
from schemas import codec
from schemas.topics import TOPICS
from tests.support.api_keys import api_key
from tests.support.drill import topics_made, until
from tests.support.odoo_lab import OwnLab
from tests.support.ports import free_port

pytestmark = [pytest.mark.kafka, pytest.mark.odoo]
HOME, OTHER = 1, 3
"""The company that works in dollars, and the one that the test has work in euros, two dollars each."""
LINE, MOVE = "account.analytic.line", "account.move"
BOTH, ONE = "capture-of-both", "capture-of-one"


class Firm:
    """The Odoo, what there is in the other company, by model, and the users of the capture."""

    def __init__(self, lab: OwnLab, kafka: KafkaSettings) -> None:
        self.lab, self.kafka = lab, kafka
        self._rpc = odoorpc.ODOO("127.0.0.1", port=lab.port, timeout=120)
        self._rpc.login(lab.db, lab.user, lab.password)
        (self._euro,) = self("res.currency", "search", [("name", "=", "EUR")], context={"active_test": False})
        (self.dollar,) = self("res.currency", "search", [("name", "=", "USD")])
        self("res.currency", "write", [self._euro], {"active": True})
        self("account.chart.template", "try_loading", [], "generic_coa", OTHER)
        self("res.company", "write", [OTHER], {"currency_id": self._euro})
        rate = {"currency_id": self.dollar, "company_id": OTHER, "name": "2026-01-01", "rate": 2.0}
        self("res.currency.rate", "create", rate)
        self.ids = {BOTH: self._user(BOTH, [HOME, OTHER]), ONE: self._user(ONE, [HOME])}
        self.client: int = self("res.partner", "create", {"name": "a client of both", "is_company": True})
        self.there = self._work(OTHER)
        (self.deleted,) = self.within(OTHER, LINE, "copy", [self.there[LINE]])
        self.here = self._work(HOME)

    def __call__(self, model: str, method: str, *words: Any, **named: Any) -> Any:
        return self._rpc.execute_kw(model, method, list(words), named)

    def within(self, company: int, model: str, method: str, *words: Any, **context: Any) -> Any:
        return self(model, method, *words, context={"allowed_company_ids": [company], **context})

    def _user(self, login: str, companies: list[int]) -> int:
        """All the rights of the administrator, in these companies."""
        (admin,) = self("res.users", "read", [2], ["group_ids"])
        partner = self("res.partner", "create", {"name": login})
        values = {"login": login, "password": login, "partner_id": partner, "company_id": companies[0]}
        of = {"company_ids": [(6, 0, companies)], "group_ids": [(6, 0, admin["group_ids"])]}
        made: int = self("res.users", "create", values | of)
        return made

    def _work(self, company: int) -> dict[str, int]:
        """A record of each kind in a company; money is in dollars where a document may choose."""

        def create(model: str, values: dict[str, Any], **context: Any) -> int:
            made: int = self.within(company, model, "create", values, **context)
            return made

        product = self("product.product", "search", [("type", "=", "service")], limit=1)[0]
        sold = {"name": "x", "product_id": product, "price_unit": 50.0}
        project = create("project.project", {"name": "P", "company_id": company, "allow_timesheets": True})
        employee = create("hr.employee", {"name": "E", "company_id": company, "hourly_cost": 80.0})
        line = {"name": "w", "project_id": project, "employee_id": employee, "unit_amount": 2.0, "date": "2026-03-05"}
        charged = [(0, 0, {"name": "x", "quantity": 1, "price_unit": 100.0, "tax_ids": [(5,)]})]
        invoice = {"move_type": "out_invoice", "partner_id": self.client, "invoice_date": "2026-03-05"}
        move = create(MOVE, invoice | {"currency_id": self.dollar, "invoice_line_ids": charged})
        self.within(company, MOVE, "action_post", [move])
        about = {"active_model": MOVE, "active_ids": [move]}
        part = {"payment_date": "2026-03-09", "amount": 40.0, "currency_id": self.dollar}
        wizard = create("account.payment.register", part, **about)
        self.within(company, "account.payment.register", "action_create_payments", [wizard], **about)
        (payment,) = self.within(company, "account.payment", "search", [("invoice_ids", "in", [move])])
        spent = {"name": "train", "employee_id": employee, "date": "2026-03-04", "total_amount_currency": 33.0}
        bought = {"partner_id": self.client, "currency_id": self.dollar, "project_id": project}
        return {
            "project.project": project,
            "hr.employee": employee,
            LINE: create(LINE, line),
            MOVE: move,
            "account.payment": payment,
            "hr.expense": create("hr.expense", {**spent, "currency_id": self.dollar, "company_id": company}),
            "purchase.order": create("purchase.order", {**bought, "order_line": [(0, 0, {**sold, "product_qty": 1})]}),
            "sale.order": create("sale.order", {"partner_id": self.client, "order_line": [(0, 0, sold)]}),
            "crm.lead": create(
                "crm.lead", {"name": "L", "type": "opportunity", "expected_revenue": 500, "company_id": company}
            ),
            "project.milestone": create("project.milestone", {"name": "M", "project_id": project}),
            "project.task": create("project.task", {"name": "T", "project_id": project}),
        }

    def settings(self, user: str, **odoo: Any) -> Settings:
        given = {"url": self.lab.url, "db": self.lab.db, "user": user, "password": SecretStr(user), **odoo}
        return Settings(kafka=self.kafka, odoo=OdooSettings(**given))

    def capture(self, user: str) -> dict[str, int]:
        return producers.capture.run(self.settings(user), {}, once=True, stop=threading.Event())

    def audit(self, user: str, models: tuple[str, ...] = (), **odoo: Any) -> tuple[Outcome, list[Difference]]:
        told: list[Difference] = []
        asked = Request(models=models, settle=0.2)
        return run(self.settings(user, **odoo), {}, asked, on_difference=told.append), told

    def events(self) -> dict[tuple[str, int], list[Any]]:
        """Every event of this database so far, by model and id."""
        found: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for name, topic in TOPICS.items():
            if topic.public and topic.publishers[0] == "capture":
                for record in read_to_end(self.kafka, name):
                    _, _, model, number, *_ = (record.key() or b"").decode().split(":")
                    event = codec.decode(record.value() or b"").value
                    if name != "finance.dispute.v1":
                        found[model, int(number)].append(event)
        return found


EXPECTED: dict[str, dict[str, Any]] = {
    "project.project": {"currency": "EUR"},
    "hr.employee": {"currency": "EUR", "hourly_cost": Decimal(80)},
    LINE: {"currency": "EUR", "cost": Decimal(160)},
    MOVE: {
        "currency": "USD", "total": Decimal(100), "residual": Decimal(60),
        "company_currency": "EUR", "company_total": Decimal(50), "company_residual": Decimal(30),
    },
    "account.payment": {"currency": "USD", "amount": Decimal(40)},
    "hr.expense": {"currency": "EUR", "amount": Decimal("16.5")},
    "purchase.order": {
        "currency": "USD", "amount": Decimal(50), "company_currency": "EUR", "company_amount": Decimal(25),
    },
    "sale.order": {"currency": "USD"},
    "crm.lead": {"currency": "EUR", "expected_revenue": Decimal(500)},
    "project.milestone": {},
    "project.task": {},
}  # fmt: skip
"""What is said of the other company's records. Documents say what they were made out in: a client's order follows its price list."""


@pytest.fixture
def firm(tmp_path: Path, real_odoo: Any) -> Iterator[Firm]:
    """The shared lab is only what this one's program is taken from."""
    lab = OwnLab(tmp_path / "lab", Path(os.environ.get("ODOO_LAB", Path.home() / ".cache" / "odoo-lab")))
    try:
        lab.up()
        with EmbeddedKafka(tmp_path / "kafka", port=free_port()) as broker:
            kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
            until(lambda: topics_made(kafka), "the topics have leaders")
            yield Firm(lab, kafka)
    finally:
        lab.close()


def test_two_companies(firm: Firm) -> None:
    """One test, since such a firm takes its time to be made."""
    firm.capture(BOTH)
    _each_says_whose_money_it_is(firm)
    for transport, password in (("jsonrpc", BOTH), ("json2", api_key(firm.lab, user=firm.ids[BOTH]))):
        outcome, told = firm.audit(BOTH, transport=transport, password=SecretStr(password))
        assert (told, outcome.clean, outcome.hidden) == ([], True, 0), transport
        assert all(line.agrees for line in outcome.lines), transport
        assert outcome.rows > 500, transport
    _one_who_sees_one_of_them_takes_nothing_for_deleted(firm)


def _each_says_whose_money_it_is(firm: Firm) -> None:
    events = firm.events()
    assert firm.there.keys() == EXPECTED.keys()
    for model, expected in EXPECTED.items():
        last = events[model, firm.there[model]][-1]
        state, meta = last["current"], last["meta"]
        assert {name: state[name] for name in expected} == expected, model
        assert (state["company_id"], meta["company_id"]) == (OTHER, OTHER), model
        home = events[model, firm.here[model]][-1]["current"]
        assert home["company_id"] == HOME, model
        assert home.get("currency") == ("USD" if "currency" in state else None), model


def _one_who_sees_one_of_them_takes_nothing_for_deleted(firm: Firm) -> None:
    events = firm.events()
    before = {place: len(found) for place, found in events.items()}
    kept, changed, deleted = firm.here[LINE], firm.there[LINE], firm.deleted
    assert (LINE, deleted) in events
    firm(LINE, "write", [kept], {"unit_amount": 4.0})
    firm(LINE, "write", [changed], {"unit_amount": 5.0})
    firm(LINE, "unlink", [deleted])
    firm.capture(ONE)
    events = firm.events()
    assert [event["current"]["minutes"] for event in events[LINE, kept]] == [120, 240]
    assert events.pop((LINE, deleted))[-1]["current"] is None, "what is really gone is gone, whoever looks"
    for (model, number), found in events.items():
        assert found[-1]["current"] is not None, f"{model} {number} was taken for deleted"
        new = len(found) > before.get((model, number), 0)
        assert not new or found[-1]["meta"]["company_id"] in {HOME, None}, f"{model} {number} is not seen, and was told"
    outcome, told = firm.audit(ONE)
    assert (told, outcome.clean) == ([], True)
    assert outcome.hidden >= len(firm.there) - 1, "they are counted; nobody can tell whether they are right"
    outcome, told = firm.audit(BOTH, models=(LINE,))
    assert [(one.kind, one.subject.rpartition(":")[2]) for one in told] == [("wrong", str(changed))]
