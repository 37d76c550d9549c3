"""The one registry of topics: name, key, schema, partitions, retention, owner, process, service level, class, access.

Topics, documentation and access lists are made from it, never written twice. Public event topics keep everything, so that
history can be replayed; topics with people's names are compacted, so that a tombstone erases them. Internal topics may
change with any release and carry no promise.
"""

from __future__ import annotations

from schemas.topics.business import BUSINESS
from schemas.topics.contract import (
    AUDITED,
    CLEARED,
    DATA_TEAMS,
    PARTITIONS,
    PROCESSORS,
    STEPS_KEPT,
    DataClass,
    Deprecation,
    Process,
    ServiceLevel,
    Topic,
)
from schemas.topics.governance import GOVERNANCE
from schemas.topics.internal import INTERNAL
from schemas.topics.measures import MEASURES

TOPICS: dict[str, Topic] = {topic.name: topic for topic in (*BUSINESS, *MEASURES, *GOVERNANCE, *INTERNAL)}


def topic(name: str) -> Topic:
    """The contract of a topic. Raises `KeyError` that lists near names for one that is not declared."""
    try:
        return TOPICS[name]
    except KeyError:
        stem = name.partition(".")[0]
        near = [known for known in TOPICS if known.startswith(stem)] or list(TOPICS)
        raise KeyError(f"no topic {name!r}; there is {', '.join(near)}") from None


__all__ = [
    "AUDITED",
    "CLEARED",
    "DATA_TEAMS",
    "PARTITIONS",
    "PROCESSORS",
    "STEPS_KEPT",
    "TOPICS",
    "DataClass",
    "Deprecation",
    "Process",
    "ServiceLevel",
    "Topic",
    "topic",
]
