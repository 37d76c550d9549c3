"""Which broker runs on a data folder: a small file, and the judgement whether to believe it. The judgement is pure.

A process id alone proves nothing: ids are used again. A broker is ours only if its command line names Kafka's main class and the
`server.properties` of this very folder. Nothing is trusted or signalled before that is seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

MAIN_CLASS = "kafka.Kafka"


@dataclass(frozen=True, slots=True)
class BrokerState:
    """A broker that was started: `started_at` is ISO 8601 in UTC, `port` is that of its listener on loopback."""

    pid: int
    port: int
    started_at: str
    version: str


class Verdict(StrEnum):
    """What a state file is worth."""

    ABSENT = "absent"
    STALE = "stale"
    RUNNING = "running"


def judge(state: BrokerState | None, command_of: Callable[[int], str], properties: Path) -> Verdict:
    """Is the broker of this state file alive? `command_of` gives a process's command line, empty if it is dead."""
    if state is None:
        return Verdict.ABSENT
    return Verdict.RUNNING if is_broker(command_of(state.pid), properties) else Verdict.STALE


def is_broker(command: str, properties: Path) -> bool:
    """Is this the command line of the broker of these `server.properties`?"""
    return command.rstrip().endswith(f" {MAIN_CLASS} {properties}")


def parse_state(text: str) -> BrokerState | None:
    """The state in this text; None if it is no state, as after a crash in mid-write or a hand edit."""
    try:
        raw = json.loads(text)
        state = BrokerState(int(raw["pid"]), int(raw["port"]), str(raw["started_at"]), str(raw["version"]))
    except (ValueError, KeyError, TypeError):
        return None
    # kill(0) and kill(-1) would signal whole groups of processes.
    return state if state.pid > 1 and 0 < state.port < 65536 else None


def render_state(state: BrokerState) -> str:
    """The text of the state file."""
    return json.dumps(asdict(state)) + "\n"
