"""What an event says to the monitors that read its topic, as facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streams.core.contract import Contribution
from streams.core.monitors.facts import PART, contribution
from streams.core.monitors.table import READERS
from streams.core.routes.difference import system_of


def watched(topic: str, event: Any) -> Iterator[Contribution]:
    """What an event says to the monitors that read its topic, as facts; and their end where it said so before and no longer does."""
    meta, now, before = event["meta"], event["current"], event["previous"]
    system = system_of(meta)
    head = {"record": meta["subject"], **{name: meta[name] for name in ("version", "event_id", "recorded_at")}}
    if topic == "finance.dispute.v1":
        head["record"] = f"{meta['subject']}@{meta['source']}"  # several sources speak of one invoice
    for monitor, reader in READERS[topic]:
        says = {} if now is None else reader(now, system, meta)
        said = {} if before is None else reader(before, system, meta)
        for about, fact in says.items():
            if isinstance(about, tuple):
                part = {**head, "record": f"{head['record']}{PART}{about[1]}"}
                yield contribution(monitor, about[0], fact, part, present=True)
            else:
                yield contribution(monitor, about, fact, head, present=True)
        for about, fact in said.items():
            if about not in says and not isinstance(about, tuple):
                yield contribution(monitor, about, fact, head, present=False)
