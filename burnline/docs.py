"""Write `docs/events.md` from the registry of topics and the Avro schemas: `python -m burnline.docs [--check]`.

With `--check` nothing is written, and the exit status is 1 when a generated file is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from burnline import access_page
from schemas import catalogue, generate
from schemas.topics import TOPICS, Topic

DOCS = Path(__file__).parent.parent / "docs"
HEAD = """# Events

Generated from `schemas/topics.py` and `schemas/avro` by `make docs`: do not edit.

Every event carries `meta` (identity, order, times, provenance), `previous`, `current` and `changed`; derived events carry `meta` and `current`.
Read with `isolation.level=read_committed`. Keys are `odoo:<database>:<model>:<id>`. A field of class *personal* is about a person.
"""


def type_name(schema: Any) -> str:  # noqa: PLR0911  one return for each kind of Avro type
    """An Avro type in a reader's words."""
    match schema:
        case str():
            return schema.rpartition(".")[2]
        case list():
            inner = [type_name(branch) for branch in schema if branch != "null"]
            return " or ".join(inner) + (", may be null" if "null" in schema else "")
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            return f"decimal({precision}, {scale})"
        case {"logicalType": name}:
            return str(name)
        case {"type": "array", "items": items}:
            return f"list of {type_name(items)}"
        case {"type": "map", "values": values}:
            return f"map of {type_name(values)}"
        case {"type": "enum", "symbols": symbols}:
            return "one of " + ", ".join(f"`{symbol}`" for symbol in symbols)
        case {"type": "record", "name": name}:
            return str(name).rpartition(".")[2]
    return str(schema)


def state_of(topic: Topic) -> dict[str, Any]:
    """The schema of what an event of this topic holds as `current`."""
    fields = {field["name"]: field["type"] for field in catalogue.load(topic.record)["fields"]}
    current = fields["current"]
    branches = current if isinstance(current, list) else [current]
    found = next(branch for branch in branches if branch != "null")
    if isinstance(found, str):  # `previous` came first and defined it
        return next(branch for branch in fields["previous"] if isinstance(branch, dict))
    return dict(found)


def section(topic: Topic) -> str:
    """One topic's part of the page."""
    state = state_of(topic)
    kept = "the latest of each key (compacted)" if topic.compacted else _retention(topic)
    facts = (
        f"Key: {topic.key}. Partitions: {topic.partitions}. Keeps {kept}. Class: {topic.data_class}. Owner: {topic.owner}. "
        f"Process: {topic.process}. Service level: {topic.service_level}. Written by {', '.join(topic.publishers)}.\n"
    )
    if end := topic.deprecation:
        facts = f"**Deprecated** on {end.since}, ends on {end.sunset}: read {end.successor}.\n\n{facts}"
    types = ", ".join(f"`{topic.event_type(verb)}`" for verb in topic.verbs)
    rows = [f"| `{f['name']}` | {type_name(f['type'])} | {f['dataClass']} | {f['doc']} |" for f in state["fields"]]
    return "\n".join(
        [
            f"## {topic.name}",
            "",
            state["doc"],
            "",
            facts,
            f"Event types: {types}.",
            "",
            "| field | type | class | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _retention(topic: Topic) -> str:
    milliseconds = int(topic.config["retention.ms"])
    return "everything" if milliseconds < 0 else f"{milliseconds // 86_400_000} days"


def events_page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(topic) for topic in TOPICS.values() if topic.public)])


def main(arguments: list[str]) -> int:
    """Write, or check, every generated file."""
    files = {DOCS / "events.md": events_page(), DOCS / "access.md": access_page.page(), **generate.modules()}
    if "--check" in arguments:
        stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
        for path in stale:
            print(f"{path.name} is stale: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
