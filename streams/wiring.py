"""The measures wired to their topics: the topology that the engine runs in production."""

from __future__ import annotations

import hashlib
import sys
from functools import partial
from pathlib import Path
from typing import Any

from infra.config import read_config, section
from infra.settings import Settings
from schemas import codec
from schemas.topics import TOPICS, topic
from streams import core
from streams.engine.topology import Processor, Topology

CLOCK = "ops.clock.v1"


def measures_policy(settings: Settings) -> core.Measures:
    """What the firm has decided on its measures. Raises `Fatal` that names the key and what is wrong with it.

    Each of the `later` rules says only what changes with it: all else stays as it was before.
    """
    content = read_config(settings.config)
    return section({"measures": _completed(content.get("measures"))}, "measures", core.Measures)


def _completed(rules: Any) -> Any:
    """The rules with each later part filled from what was in force before; what is no mapping is left for the validation to refuse."""
    if not isinstance(rules, dict) or not isinstance(rules.get("later"), list):
        return rules
    before = {name: value for name, value in rules.items() if name != "later"}
    eras = []
    for era in rules["later"]:
        if not isinstance(era, dict) or not isinstance(era.get("rules"), dict):
            return rules
        before = _merged(before, era["rules"])
        eras.append({**era, "rules": before})
    return {**rules, "later": eras}


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {name: (base.get(name), value) for name, value in over.items()}
    inner = {
        name: _merged(old, new) if isinstance(old, dict) and isinstance(new, dict) else new
        for name, (old, new) in both.items()
    }
    return {**base, **inner}


def topology(policy: core.Measures) -> Topology:
    """All processors under this policy, on the topics of the registry."""
    return Topology(
        sources={name: topic(name).record for name in core.PROCESSOR_SOURCES},
        route=core.route,
        processors=tuple(_wired(processor, policy) for processor in core.processors(policy).values()),
        clock=CLOCK,
        alerts=TOPICS["governance.alert.v1"],
        dead_letters=TOPICS["ops.dead-letter.v1"],
        release=release(policy),
        decoders={name: codec.decoder(kept) for name, kept in core.READS.items()},
    )


def release(policy: core.Measures) -> str:
    """What a state depends on besides its rows: the code that makes it, the policy, and the Python that wrote it down."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {policy!r}".encode())
    for file in sorted(Path(core.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _wired(processor: core.Processor, policy: core.Measures) -> Processor:
    topics = [topic(name) for name in core.MEASURE_TOPICS[processor.name]]
    return Processor(
        name=processor.name,
        input=f"internal.{processor.name}-input.v1",
        state=f"internal.{processor.name}-state.v1",
        measure=topics[0],
        more={other.event_type("measured"): other for other in topics[1:]},
        new=partial(core.PartitionState, policy.utilization.week_closes_hour),
        step=partial(core.step, processor),
        restore=partial(core.restore, processor),
        measures=partial(core.measures, processor),
        look_up=partial(core.look_up, processor),
        pass_over=partial(core.pass_over, processor),
        hears=core.HEARS[processor.name],
    )
