"""Have a compacted topic compacted now: what its tombstones erase is then gone from the log, and not merely from what readers make of it.

A broker compacts closed segments only, and those only once enough of them is outdated. For as long as it takes, a topic closes its segments
after a second and has no such threshold; then it gets its former settings back.

Whoever is killed in between leaves those settings behind, and the topic is merely compacted more often: the next one to come takes them away, and
so does `burnline topics apply --prune`. Needs the right to alter the topics' settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the client's public names, exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from infra.kafka.clients import admin
from infra.kafka.failures import failure
from infra.kafka.states import TIMEOUT, states
from infra.settings import KafkaSettings

SEGMENT_SECONDS = 1.0
EAGER = {"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.0", "min.compaction.lag.ms": "0"}
"""What makes a broker compact whatever is no longer written to."""


@contextmanager
def eagerly_compacted(settings: KafkaSettings, names: Collection[str]) -> Iterator[None]:
    """Within, these topics are compacted as soon as their segments close, which the next record after a second has them do.

    Raises `Transient` when the cluster does not answer, `Fatal` when it refuses.
    """
    found = states(settings, names)
    before = {
        name: {
            item: state.config[item] for item in EAGER if item in state.set_here and state.config[item] != EAGER[item]
        }
        for name, state in found.items()
    }
    client = admin(settings)
    try:
        _set(client, dict.fromkeys(before, EAGER))
        yield
    finally:
        _set(client, {name: {item: own.get(item) for item in EAGER} for name, own in before.items()})


def _set(client: AdminClient, wanted: Mapping[str, Mapping[str, str | None]]) -> None:
    """Give topics these settings; None takes one away."""
    resources = [
        ConfigResource(ResourceType.TOPIC, name, incremental_configs=[_entry(*pair) for pair in values.items()])
        for name, values in wanted.items()
    ]
    try:
        for future in (
            client.incremental_alter_configs(resources, request_timeout=TIMEOUT).values() if resources else ()
        ):
            future.result()
    except KafkaException as error:
        raise failure("changing how topics are compacted", error) from error


def _entry(item: str, value: str | None) -> ConfigEntry:
    operation = AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET
    return ConfigEntry(item, value, incremental_operation=operation)
