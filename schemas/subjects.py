"""Subjects: under which names a schema registry keeps the released schemas, and what it must hold new versions to. Pure.

A subject is named `<topic>-<record>` (TopicRecordName), since a topic may carry several records. Public topics promise that old and
new readers get along (FULL_TRANSITIVE); internal ones, which only Burnline reads, that a replay can be read (BACKWARD_TRANSITIVE).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from schemas.released import ROWS_OF, Index, Release, ReleasedTopic
from schemas.topics import TOPICS

PUBLIC = "FULL_TRANSITIVE"
INTERNAL = "BACKWARD_TRANSITIVE"


@dataclass(frozen=True, slots=True)
class Subject:
    """A record on a topic, with its releases, the oldest first."""

    name: str
    compatibility: str
    releases: tuple[Release, ...]


def subjects(index: Index) -> list[Subject]:
    """Every subject of an index, by topic and record."""
    return [
        Subject(f"{topic.name}-{record}", PUBLIC if topic.public else INTERNAL, index.releases[record])
        for topic in sorted(index.topics.values(), key=lambda topic: topic.name)
        for record in sorted(_records(topic))
        if record in index.releases
    ]


def _records(topic: ReleasedTopic) -> tuple[str, ...]:
    if not topic.record.startswith(ROWS_OF):
        return (topic.record,)
    declared = TOPICS.get(topic.name)
    return declared.rows if declared else ()


def text_of(schema: Any) -> str:
    """A schema as it is sent to a registry: on one line."""
    return json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
