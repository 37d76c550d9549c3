"""`docs/events.md`: every topic and every field on one page, to be searched."""

from __future__ import annotations

from burnline.docs import promises
from burnline.docs.model import event_types, kept, public_topics, state_of, type_name
from schemas.topics import Topic

HEAD = """# Events

Generated from `schemas/topics` and `schemas/avro` by `make docs`: do not edit.

Every event carries `meta` (identity, order, times, provenance), `previous`, `current` and `changed`; derived events carry `meta` and `current`.
Read with `isolation.level=read_committed`. Keys are `odoo:<database>:<model>:<id>`. A field of class *personal* is about a person.
"""


def section(topic: Topic) -> str:
    """One topic's part of the page."""
    state = state_of(topic)
    facts = (
        f"Key: {topic.key}. Partitions: {topic.partitions}. Keeps {kept(topic)}. Class: {topic.data_class}. Owner: {topic.owner}. "
        f"Process: {topic.process}. Service level: {topic.service_level}. Written by {', '.join(topic.publishers)}.\n"
    )
    types = ", ".join(f"`{kind}`" for kind in event_types(topic))
    rows = [f"| `{f['name']}` | {type_name(f['type'])} | {f['dataClass']} | {f['doc']} |" for f in state["fields"]]
    return "\n".join(
        [
            f"## {topic.name}",
            "",
            promises.summary(topic),
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


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *map(section, public_topics())])
