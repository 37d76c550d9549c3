"""The measures wired to their topics: the topology that the engine runs in production."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from infra.config import read_config, section
from infra.settings import Settings
from schemas import codec
from schemas.topics import TOPICS, topic
from streams import core
from streams.core.processor import Stamp
from streams.core.publish import measure_meta
from streams.engine.topology import Processor, Topology

CLOCK = "ops.clock.v1"


def measures_policy(settings: Settings) -> core.Measures:
    """What the firm has decided on its measures. Raises `Fatal` that names the key and what is wrong with it."""
    return section(read_config(settings.config), "measures", core.Measures)


def topology(policy: core.Measures) -> Topology:
    """All processors under this policy, on the topics of the registry."""
    return Topology(
        sources={name: topic(name).record for name in core.PROCESSOR_SOURCES},
        route=core.route,
        processors=tuple(_wired(processor) for processor in core.processors(policy).values()),
        clock=CLOCK,
        alerts=TOPICS["governance.alert.v1"],
        dead_letters=TOPICS["ops.dead-letter.v1"],
        decoders={name: codec.decoder(kept) for name, kept in core.READS.items()},
    )


def _wired(processor: core.Processor) -> Processor:
    return Processor(
        name=processor.name,
        input=f"internal.{processor.name}-input.v1",
        state=f"internal.{processor.name}-state.v1",
        measure=topic(processor.topic),
        new=core.PartitionState,
        step=partial(core.step, processor),
        restore=partial(core.restore, processor),
        measures=partial(core.measures, processor),
        look_up=partial(_look_up, processor),
    )


def _look_up(processor: core.Processor, partition: core.PartitionState, key: str) -> Mapping[str, Any] | None:
    """One subject's measure as it stands, without marking it as taken."""
    subject = partition.subjects.get(key)
    if subject is None or subject.as_of is None:
        return None
    if subject.stale:
        processor.settle(partition, subject)
    current = processor.measure(subject, Stamp.of(partition, subject))
    return None if current is None else {"meta": measure_meta(processor, partition, subject), "current": current}
