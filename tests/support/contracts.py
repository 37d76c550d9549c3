"""A made-up catalogue in a folder of its own: one public topic, one internal, and the releases of both."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from schemas import catalogue, gate, releasing
from schemas.gate import Finding
from schemas.released import Index, read_index
from schemas.topics import DataClass, Process, Topic

TODAY = date(2026, 6, 1)
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 4}
STATUS = {"type": "enum", "name": "OrderStatus", "symbols": ["unknown", "open", "paid"], "default": "unknown"}
ORDER: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "pieces", "type": "int"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "total", "type": MONEY},
        {"name": "status", "type": STATUS},
        {"name": "lines", "type": {"type": "array", "items": "string"}},
    ],
}
EVENT: dict[str, Any] = {
    "type": "record",
    "name": "OrderEvent",
    "namespace": "shop",
    "fields": [{"name": "current", "type": ["null", "shop.Order"], "default": None}],
}
ROW: dict[str, Any] = {**ORDER, "name": "OrderRow"}
PUBLIC = Topic("shop.order.v1", "shop.OrderEvent", "order", Process.OPERATIONS, "shop", DataClass.PUBLIC)
INTERNAL = Topic(
    "internal.orders.v1", "shop.OrderRow", "order", Process.OPERATIONS, "shop", DataClass.PUBLIC, public=False
)


@dataclass
class Contracts:
    """Schemas and topics that a test may change, and release."""

    folder: Path
    topics: dict[str, Topic] = field(default_factory=lambda: {topic.name: topic for topic in (PUBLIC, INTERNAL)})

    def __post_init__(self) -> None:
        for schema in (ORDER, EVENT, ROW):
            self.write(schema)

    @property
    def released(self) -> Path:
        return self.folder / "released"

    @property
    def index(self) -> Index:
        return read_index(self.released)

    def write(self, schema: dict[str, Any]) -> None:
        (self.folder / f"{schema['namespace']}.{schema['name']}.avsc").write_text(json.dumps(schema))
        catalogue.load.cache_clear()

    def change(self, record: str, *, without: str = "", also: dict[str, Any] | None = None, **types: Any) -> None:
        """Change a record: take a field out, add one, give fields other types."""
        schema = json.loads((self.folder / f"shop.{record}.avsc").read_text())
        fields = [
            {**one, "type": types.get(one["name"], one["type"])} for one in schema["fields"] if one["name"] != without
        ]
        self.write({**schema, "fields": [*fields, *([also] if also else [])]})

    def topic(self, name: str, **changes: Any) -> None:
        self.topics[name] = replace(self.topics[name], **changes)

    def check(self, today: date = TODAY) -> tuple[Finding, ...]:
        return gate.examine(self.topics, self.index, avro=self.folder, released=self.released, today=today)

    def release(self, *only: str) -> Index:
        current = catalogue.travelling(self.topics.values(), self.folder)
        return releasing.write(
            releasing.plan(current, self.topics, self.index, self.released, only), self.index, self.released
        )
