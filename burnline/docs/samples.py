"""One record for each topic: valid by its schema, the same at every run, and worth looking at.

Values come from `samples.yaml`; a field that it does not know takes what its schema says of it, so that a new field never breaks a page.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from burnline.docs.model import has_history, non_null, short, state_of
from schemas import codec, events
from schemas.topics import Topic

DATABASE = "firm"
EXAMPLE = re.compile(r"for example ([^\s,;]*[^\s,;.])")
MODEL = re.compile(r"\b[a-z]+(?:\.[a-z_]+)+\b")
ORDINARY: dict[str, Any] = {
    "array": [], "boolean": False, "bytes": "", "decimal": "1", "double": 1.0, "int": 1, "long": 1, "map": {}, "string": "example",
}  # fmt: skip
"""Something of each type, as the table would have it."""
MODES: dict[str, str] = {"capture": "poll", "webhooks": "webhook"}
"""How the first publisher of a topic finds out; the others derive."""


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("samples.yaml").read_text(encoding="utf-8"))
    return found


def sample(topic: Topic) -> dict[str, Any]:
    """The topic's sample record, in Python's own types."""
    schema, table = state_of(topic), _table()
    name = short(schema["name"])
    current = _record(schema, {**table["any"], **table["records"].get(name, {})})
    before = table["before"].get(name) if has_history(topic) else None
    previous = None if before is None else {**current, **before}
    meta = _meta(topic, schema, current, changes=previous is not None)
    if not has_history(topic):
        return {"meta": meta, "current": current}
    changed = [] if previous is None else [field for field, value in current.items() if previous[field] != value]
    return {"meta": meta, "previous": previous, "current": current, "changed": changed}


def encoded(topic: Topic) -> bytes:
    """The sample as it travels. Raises `PoisonMessage` where `samples.yaml` breaks the schema."""
    return codec.encode(topic.record, sample(topic))


def headers(topic: Topic) -> dict[str, str]:
    """The sample's headers, as text."""
    found = events.cloudevents_headers(topic, sample(topic)["meta"])
    return {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in found}


def shown(record: dict[str, Any]) -> str:
    """A record as the consumers of the pages print it, over several lines."""
    return json.dumps(record, default=plain, ensure_ascii=False, indent=2)


def plain(value: object) -> str:
    """What JSON has no word for: bytes as hexadecimal digits, days, times and decimals as text."""
    return value.hex() if isinstance(value, bytes) else str(value)


def _meta(topic: Topic, schema: dict[str, Any], current: dict[str, Any], *, changes: bool) -> dict[str, Any]:
    table, first = _table(), schema["fields"][0]
    status = current.get("status")
    verb = status if status in topic.verbs else topic.verbs[0]
    publisher = topic.publishers[0]
    captured = publisher == "capture"
    causes = current.get("moved_by") or current.get("caused_by") or [None]
    model = MODEL.search(first["doc"])
    kind = model.group() if model else short(schema["name"]).lower()
    own = {
        "source": f"odoo:{DATABASE}" if captured else "burnline",
        "subject": events.odoo_key(DATABASE, kind, current[first["name"]]),
        "version": current.get("revision", 2 if changes else 1),
        "occurred_at": table["now"],
        "tenant": DATABASE,
        "company_id": current.get("company_id", 1),
        **table["meta"].get(short(schema["name"]), {}),
    }
    return dict(
        events.meta(
            topic,
            verb,
            **own,
            recorded_at=own["occurred_at"],
            mode=MODES.get(publisher, "derived"),  # type: ignore[arg-type]  # one of its literals
            correlation_id=causes[-1],
            causation_id=causes[-1],
        )
    )


def _record(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return {
        field["name"]: _typed(field["type"], known[field["name"]])
        if field["name"] in known
        else _unknown(field["type"], field["doc"])
        for field in schema["fields"]
    }


def _typed(schema: Any, value: Any) -> Any:  # noqa: PLR0911  one return for each kind of Avro type
    """A value of the table as its type has it."""
    if value is None:
        return None
    match non_null(schema):
        case {"logicalType": "decimal", "scale": scale}:
            return Decimal(value).quantize(Decimal(1).scaleb(-scale))
        case "bytes":
            return str(value).encode("latin-1")
        case {"type": "array", "items": items}:
            return [_typed(items, item) for item in value]
        case {"type": "map", "values": values}:
            return {key: _typed(values, item) for key, item in value.items()}
        case {"type": "record"} as record:
            return _record(record, value)
    return value


def _unknown(schema: Any, doc: str) -> Any:  # noqa: PLR0911  one return for each kind of Avro type
    """A value for a field that the table does not know."""
    example = EXAMPLE.search(doc)
    if example is not None and non_null(schema) == "string":
        return example.group(1)
    match schema:
        case ["null", *_]:
            return None
        case {"type": "enum", "symbols": symbols}:
            return next(symbol for symbol in symbols if symbol != "unknown")
        case {"type": "record"}:
            return _record(schema, {})
        case {"logicalType": "uuid"}:
            return events.deterministic_id("sample", doc)
        case {"logicalType": "timestamp-micros"}:
            return _table()["now"]
        case {"logicalType": "date"}:
            return _table()["now"].date()
    return _typed(schema, ORDINARY[schema if isinstance(schema, str) else schema.get("logicalType", schema["type"])])
