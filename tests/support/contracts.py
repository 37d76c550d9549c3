"""A made-up catalogue in a folder of its own: one public topic, one internal, and the releases of both.

`join` makes it part of the program's own, under names and numbers that no other test has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from schemas import catalogue, gate, released, releasing
from schemas.gate import Finding
from schemas.released import Index, read_index
from schemas.successions import Succession
from schemas.topics import DataClass, Deprecation, Process, Topic

_NUMBERS = count(10_000, 1_000)
_LOAD = catalogue.load
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
    schemas: tuple[dict[str, Any], ...] = (ORDER, EVENT, ROW)
    declared: tuple[Topic, ...] = (PUBLIC, INTERNAL)
    successions: tuple[Succession, ...] = ()

    def __post_init__(self) -> None:
        self.topics = {topic.name: topic for topic in self.declared}
        self.namespace = self.schemas[0]["namespace"]
        self._first = next(_NUMBERS)
        for schema in self.schemas:
            self.write(schema)

    def join(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the codec know these schemas next to the program's own, as they are now and as they were released.

        Under numbers that no other test has; the namespace must be nobody else's, since what is parsed is kept.
        """
        own = released.index()

        def load(name: str, folder: Path = catalogue.AVRO_FOLDER) -> dict[str, Any]:
            return _LOAD(name, self.folder if name.startswith(f"{self.namespace}.") else folder)

        releases = {
            record: tuple(replace(release, wire_id=self._first + release.wire_id) for release in versions)
            for record, versions in self.index.releases.items()
        }
        joined = Index({**own.releases, **releases}, {**own.topics, **self.index.topics})
        monkeypatch.setattr(released, "index", lambda: joined)
        monkeypatch.setattr(catalogue, "load", load)

    @property
    def frozen(self) -> Path:
        return self.folder / "released"

    @property
    def index(self) -> Index:
        return read_index(self.frozen)

    def write(self, schema: dict[str, Any]) -> None:
        (self.folder / f"{schema['namespace']}.{schema['name']}.avsc").write_text(json.dumps(schema))
        _LOAD.cache_clear()

    def change(self, record: str, *, without: str = "", also: dict[str, Any] | None = None, **types: Any) -> None:
        """Change a record: take a field out, add one, give fields other types."""
        schema = json.loads((self.folder / f"{self.namespace}.{record}.avsc").read_text())
        fields = [
            {**one, "type": types.get(one["name"], one["type"])} for one in schema["fields"] if one["name"] != without
        ]
        self.write({**schema, "fields": [*fields, *([also] if also else [])]})

    def topic(self, name: str, **changes: Any) -> None:
        self.topics[name] = replace(self.topics[name], **changes)

    def replace(self, name: str, deprecation: Deprecation) -> None:
        """Deprecate a topic, and declare its successor."""
        self.topic(name, deprecation=deprecation)
        old, new = self.topics[name], replace(self.topics[name], name=deprecation.successor, deprecation=None)
        self.topics[new.name] = new
        self.successions = (Succession(old, new, dict, dict),)

    def check(self, today: date = TODAY) -> tuple[Finding, ...]:
        return gate.examine(
            self.topics, self.index, avro=self.folder, released=self.frozen, today=today, successions=self.successions
        )

    def release(self, *only: str) -> Index:
        current = catalogue.travelling(self.topics.values(), self.folder)
        return releasing.write(
            releasing.plan(current, self.topics, self.index, self.frozen, only), self.index, self.frozen
        )
