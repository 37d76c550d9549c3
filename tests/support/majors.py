"""A made-up topic before and after a change that needs a new major: pieces become a quantity with a unit, money loses digits."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from schemas import catalogue
from schemas.events import meta
from schemas.successions import Succession, retold
from schemas.topics import DataClass, Deprecation, Process, Topic
from tests.support.contracts import MONEY, Contracts

ANNOUNCED, SUNSET = date(2026, 6, 1), date(2026, 12, 31)
BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)


class Majors:
    """The catalogue with the old topic alone at first; `move` brings the new one."""

    def __init__(self, folder: Path, prefix: str = "shop.") -> None:
        self.namespace = f"shop{uuid.uuid4().hex}"
        shutil.copy(catalogue.AVRO_FOLDER / "burnline.Meta.avsc", folder)
        self.old = Topic(
            f"{prefix}order.v1", f"{self.namespace}.OrderEvent", "order", Process.OPERATIONS, "shop", DataClass.PUBLIC,
            ("placed", "changed"), partitions=3,
        )  # fmt: skip
        total = {**MONEY, "scale": 4}
        self.contracts = Contracts(
            folder,
            (
                self._record("Order", "", {"name": "pieces", "type": "int"}, {"name": "total", "type": total}),
                self._event(""),
            ),
            (self.old,),
        )
        self.contracts.release()

    def move(self) -> Succession:
        """The new major: declared, released, and told both ways."""
        quantity = self._record(
            "Quantity", ".v2", {"name": "amount", "type": MONEY}, {"name": "unit", "type": "string"}
        )
        total = {**MONEY, "scale": 2}
        fields = {"name": "quantity", "type": f"{self.namespace}.v2.Quantity"}, {"name": "total", "type": total}
        for schema in (quantity, self._record("Order", ".v2", *fields), self._event(".v2")):
            self.contracts.write(schema)
        name = self.old.name.removesuffix("1") + "2"
        self.new = replace(self.old, name=name, record=f"{self.namespace}.v2.OrderEvent")
        self.old = replace(self.old, deprecation=Deprecation(ANNOUNCED, SUNSET, name))
        self.contracts.topics = {topic.name: topic for topic in (self.old, self.new)}
        succession = Succession(self.old, self.new, self.upcast, self.downcast)
        self.contracts.successions = (succession,)
        self.contracts.release()
        return succession

    def upcast(self, event: Mapping[str, Any]) -> dict[str, Any]:
        now = event["current"]
        quantity = {"amount": Decimal(now["pieces"]), "unit": "piece"}
        current = {"quantity": quantity, "total": now["total"].quantize(Decimal("0.01"))}
        return {"meta": retold(event["meta"], self.new), "current": current}

    def downcast(self, event: Mapping[str, Any]) -> dict[str, Any]:
        now = event["current"]
        current = {"pieces": int(now["quantity"]["amount"]), "total": now["total"]}
        return {"meta": retold(event["meta"], self.old), "current": current}

    def old_event(self, order: int, version: int) -> dict[str, Any]:
        return {
            "meta": self._meta(self.old, order, version),
            "current": {"pieces": version, "total": Decimal(10 * version) + Decimal("0.5")},
        }

    def new_event(self, order: int, version: int) -> dict[str, Any]:
        quantity = {"amount": Decimal(version), "unit": "box"}
        return {
            "meta": self._meta(self.new, order, version),
            "current": {"quantity": quantity, "total": Decimal(10 * version) + Decimal("0.5")},
        }

    def _meta(self, topic: Topic, order: int, version: int) -> Any:
        at = BEGINNING + timedelta(hours=version)
        return meta(
            topic, "placed" if version == 1 else "changed", source="shop", subject=f"shop:order:{order}", version=version,
            occurred_at=at, recorded_at=at, mode="webhook", tenant="shop", company_id=None,
        )  # fmt: skip

    def _record(self, name: str, major: str, *fields: dict[str, Any]) -> dict[str, Any]:
        return {"type": "record", "name": name, "namespace": f"{self.namespace}{major}", "fields": list(fields)}

    def _event(self, major: str) -> dict[str, Any]:
        order = f"{self.namespace}{major}.Order"
        return self._record(
            "OrderEvent", major, {"name": "meta", "type": "burnline.Meta"}, {"name": "current", "type": order}
        )
