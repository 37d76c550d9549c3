"""How many partitions each topic has, and whether the topology can run on them."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import KafkaException

from infra.errors import Fatal
from infra.kafka.clients import admin
from infra.kafka.states import missing
from infra.settings import KafkaSettings
from streams.engine.failures import of_kafka
from streams.engine.topology import Topology


def widths_of(settings: KafkaSettings, topology: Topology) -> dict[str, int]:
    """Partitions of each of the topology's topics. Raises `Fatal` where one is missing or hidden, or where counts do not fit."""
    missing(settings, needed(topology))  # tells of one that we may not see; what is not there, `check` tells
    try:
        found = admin(settings).list_topics(timeout=30).topics
    except KafkaException as error:
        raise of_kafka("asking for the topics", error) from error
    widths = {name: len(metadata.partitions) for name, metadata in found.items()}
    check(topology, widths)
    return widths


def needed(topology: Topology) -> set[str]:
    """The topics that it reads and writes."""
    names = {*topology.sources, topology.alerts.name, topology.dead_letters.name}
    for processor in topology.processors:
        names |= {
            processor.input,
            processor.state,
            processor.measure.name,
            *(other.name for other in processor.more.values()),
        }
    return names


def check(topology: Topology, widths: Mapping[str, int]) -> None:
    """Raises `Fatal` that names the missing topics, or the pair whose numbers of partitions must be equal and are not."""
    if lacking := sorted(needed(topology) - set(widths)):
        raise Fatal(f"topics are missing: {', '.join(lacking)}", remedy="run `burnline topics apply`")
    for processor in topology.processors:
        for other in (processor.state, topology.clock):
            if widths[processor.input] != widths[other]:
                raise Fatal(
                    f"{processor.input} has {widths[processor.input]} partitions and {other} has {widths[other]}",
                    remedy="they must be equal: a partition of input is remembered in, and timed by, the one of its number",
                )
