"""What the governor costs: alerts read at the start, and one look with nothing to say while many alerts are open.

    python -m tests.bench.bench_governor [--alerts N] [--json]

Five rules, one of which matches, with a service level and quiet hours; CPU seconds, in the same process.
"""

from __future__ import annotations

import argparse
import json
import time

from consumers.core.conditions import When
from consumers.core.governor import Governor
from consumers.core.policy import Policy
from consumers.core.quiet import Quiet
from consumers.core.trial import remember
from schemas import codec, contents
from tests.support.governing import HOUR, START, raised, rule

OPEN = 1000
RULES = 5


def policy() -> Policy:
    """Five rules; only the first speaks of what is raised here."""
    quiet = Quiet("Europe/Brussels", "20:00", "07:00")
    globs = ["budget_burn.*", *(f"other-{number}.*" for number in range(1, RULES))]
    return Policy(
        tuple(
            rule(name=glob, when=When(rule=glob), service_level=4 * HOUR, alternates=("alternate",), quiet=quiet)
            for glob in globs
        )
    )


def measured(alerts: int) -> dict[str, float]:
    """CPU seconds per million alerts read, and milliseconds of a look with `OPEN` open."""
    data = [
        codec.encode("burnline.governance.AlertEvent", raised(f"odoo:firm:project.project:{number}"))
        for number in range(alerts)
    ]
    reading = Governor(policy())
    began = time.process_time()
    for one in data:
        reading.alert(contents.read("governance.alert.v1", one))
    read = time.process_time() - began

    looking = Governor(policy())
    for one in data[:OPEN]:
        looking.alert(contents.read("governance.alert.v1", one))
    looking.tick(START)
    for decision in looking.decide():
        remember(looking, decision)
    looking.tick(START + HOUR)
    began = time.process_time()
    for _ in range(10):
        looking.decide()
    look = (time.process_time() - began) / 10
    return {
        "cpu_seconds_per_million_alerts_read": round(read / alerts * 1e6, 1),
        f"ms_of_a_look_with_{OPEN}_open": round(look * 1000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(json.dumps(measured(options.alerts)))


if __name__ == "__main__":
    main()
