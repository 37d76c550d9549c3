"""What the audit trail costs: events entered, and entries verified; CPU seconds per million, in this process, without a broker.

    python -m tests.bench.bench_trail [--events N] [--json]

Entered means: the event decoded, its entry made, linked to the one before and encoded. Two thirds of the events are an action's, one third an alert's.
"""

from __future__ import annotations

import argparse
import json
import time

from consumers.core import trail_entries
from consumers.core.action_events import ACTIONS, action_event
from consumers.core.plan import plan
from consumers.core.policy import Policy
from consumers.core.trail_chain import Head, head_of, linked, verify
from consumers.trail import TOPIC, trail_event
from schemas import codec
from schemas.topics import topic
from tests.support.governing import START, raised, rule

ALERTS = topic("governance.alert.v1")


def measured(events: int) -> dict[str, float]:
    """CPU seconds per million events entered, and per million entries verified."""
    policy, data = Policy((rule(),)), []
    for number in range(events // 3):
        alert = raised(f"odoo:firm:project.project:{number}")
        [planned] = plan(alert, policy)
        data.append((ALERTS, codec.encode(ALERTS.record, alert)))
        steps = [action_event(planned, status, 0, START) for status in ("requested", "succeeded")]
        data += [(ACTIONS, codec.encode(ACTIONS.record, step)) for step in steps]
    head, entries = Head(), []
    began = time.process_time()
    for offset, (source, value) in enumerate(data):
        event = codec.decode_as(source.record, value)
        entry = linked(head, trail_entries.content(source, event, 0, offset))
        codec.encode(TOPIC.record, trail_event(entry))
        head = head_of(entry)
        entries.append(entry)
    entered = time.process_time() - began
    began = time.process_time()
    faults = list(verify(entries))
    verified = time.process_time() - began
    assert not faults
    return {
        "cpu_seconds_per_million_events_entered": round(entered / len(data) * 1e6, 1),
        "cpu_seconds_per_million_entries_verified": round(verified / len(data) * 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=30_000)
    parser.add_argument("--json", action="store_true")
    print(json.dumps(measured(parser.parse_args().events)))


if __name__ == "__main__":
    main()
