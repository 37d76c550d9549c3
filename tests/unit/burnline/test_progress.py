"""Who waits is told what for, at a terminal alone; what a command prints goes where it would go without."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

COMMAND = """
from burnline.commands.output import progress
with progress("reading the letters") as tell:
    print("a row")
    tell("reading the trail")
"""


def run(*, at_a_terminal: bool) -> tuple[str, str]:
    """What a command prints onto standard output, which is a pipe, and onto standard error."""
    ours, its = pty.openpty() if at_a_terminal else os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND], stdout=subprocess.PIPE, stderr=its, env={**os.environ, "TERM": "xterm"}
    ) as command:
        os.close(its)
        out, _ = command.communicate(timeout=120)
    told = b""
    try:
        while some := os.read(ours, 10_000):
            told += some
    except OSError:  # a terminal that nobody is at any more
        pass
    finally:
        os.close(ours)
    return out.decode(), told.decode()


@pytest.mark.parametrize("at_a_terminal", [True, False])
def test_a_person_is_told_and_a_file_gets_the_rows(at_a_terminal: bool) -> None:
    out, told = run(at_a_terminal=at_a_terminal)
    assert out == "a row\n"
    assert ("reading the letters" in told) is at_a_terminal
