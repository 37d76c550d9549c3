"""The log of Odoo's database, as Debezium tells it: which tables concern us, what a change in one of them points at, and the connector's settings. Pure.

Rules
- A change says which record to read again, and nothing else of it is used: the same code reads, maps and compares it as when it is polled, so
  the events are the same. So only ids are asked of the connector, and no personal data lies in its topic.
- What happened before the log is listened to is covered by the catch-up, as with hints; so no offset is kept.
- Where its slot in PostgreSQL was lost, the connector fails, and is silent. Started anew, without what it remembered, it begins with the present: its
  first change then names none before it, which is how a gap is known, however short the silence was.
- A table that was emptied at once (TRUNCATE) names no record: its model is compared as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from producers.core.mapping import ModelMapping
from schemas.errors import PoisonMessage

SCHEMA = "public"
SLOT = "burnline"
HEARTBEAT = 5.0
"""Seconds between two signs of life of the connector."""
CHANGED, EMPTIED = frozenset({"c", "u", "d", "r"}), "t"


@dataclass(frozen=True, slots=True)
class Place:
    """What a row of a table points at: records of a model, whose ids stand in a column."""

    model: str
    column: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message says: a record, a model that was emptied (no id), or that the connector lives (neither), or that it began `anew`."""

    model: str | None = None
    record_id: int | None = None
    anew: bool = False


def places(mappings: Iterable[ModelMapping]) -> dict[str, tuple[Place, ...]]:
    """What the rows of each table point at: records of their own model, and of the one that their record is a part of."""
    found: dict[str, dict[Place, None]] = {}
    for mapping in mappings:
        for model in (mapping.model, *(follow.model for follow in mapping.follows)):
            found.setdefault(_table(model), {})[Place(model, "id")] = None
        for child in mapping.children:
            found.setdefault(_table(child.model), {})[Place(mapping.model, child.parent)] = None
    return {table: tuple(places) for table, places in found.items()}


def _table(model: str) -> str:
    return model.replace(".", "_")


def hear(value: bytes | None, tables: Mapping[str, Sequence[Place]]) -> list[Heard]:
    """What a message of the connector says; nothing of tables that do not concern us. Raises `PoisonMessage` for what it cannot have sent."""
    if value is None:
        return []
    try:
        message = json.loads(value)
        return _heard(message, tables)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise PoisonMessage(
            f"this is no message of Debezium's: {type(error).__name__}: {error}",
            remedy="let the connector write JSON without schemas, as `burnline odoo log-connector` says, and nothing else to its topic",
        ) from None


def _heard(message: dict[str, Any], tables: Mapping[str, Sequence[Place]]) -> list[Heard]:
    operation = message.get("op")
    if operation is None:
        return [Heard()] if isinstance(message["ts_ms"], int) else []
    concerned = tables.get(message["source"]["table"], ()) if operation in CHANGED or operation == EMPTIED else ()
    anew = [Heard(anew=True)] if _is_first(message["source"]) else []
    if operation == EMPTIED:
        return [*anew, *(Heard(place.model) for place in concerned)]
    rows = [row for row in (message.get("before"), message.get("after")) if row is not None]
    return anew + [
        Heard(place.model, record_id)
        for place in concerned
        for record_id in dict.fromkeys(row.get(place.column) for row in rows)
        if isinstance(record_id, int) and record_id > 0
    ]


def _is_first(source: Mapping[str, Any]) -> bool:
    """Whether a connector that remembers nothing wrote it: its `sequence` names the transaction before, and this one."""
    told = source.get("sequence")
    return told is not None and json.loads(told)[0] is None


def connector(mappings: Iterable[ModelMapping], *, topic: str, database: str, host: str, port: int) -> dict[str, str]:
    """The settings of the connector, for Kafka Connect: every table that concerns us, its ids alone, all into one topic in their order."""
    tables = places(mappings)
    columns = sorted({f"{SCHEMA}.{table}.{place.column}" for table, found in tables.items() for place in found})
    keys = {f"{SCHEMA}.{table}.id" for table in tables}
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "plugin.name": "pgoutput",
        "database.hostname": host,
        "database.port": str(port),
        "database.user": "${env:ODOO_LOG_USER}",
        "database.password": "${env:ODOO_LOG_PASSWORD}",
        "database.dbname": database,
        "topic.prefix": topic,
        "slot.name": f"{SLOT}_{_identifier(topic)}",
        "publication.name": f"{SLOT}_{_identifier(topic)}",
        "publication.autocreate.mode": "filtered",
        "table.include.list": ",".join(f"{SCHEMA}.{table}" for table in sorted(tables)),
        "column.include.list": ",".join(column.replace(".", r"\.") for column in sorted({*columns, *keys})),
        "snapshot.mode": "no_data",
        "skipped.operations": "none",
        "tombstones.on.delete": "false",
        "heartbeat.interval.ms": str(int(HEARTBEAT * 1000)),
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "transforms": "one",
        "transforms.one.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.one.regex": ".*",
        "transforms.one.replacement": topic,
        "topic.creation.default.replication.factor": "-1",
        "topic.creation.default.partitions": "1",
        "topic.creation.default.retention.ms": "86400000",
    }


def _identifier(topic: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in topic.lower())
