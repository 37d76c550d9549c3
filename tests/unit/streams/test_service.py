"""A process in which the engine is dead does not go on, and says by its status why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streams.engine.failures import EXIT_FATAL, EXIT_FENCED, EXIT_TRANSIENT

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import asyncio, mode
from infra.errors import Fatal, Transient
from streams.engine.failures import Fenced
from streams.service import engine_service

class Dying:
    def run(self, stop):
        raise {error}

async def main():
    await engine_service(Dying())().start()
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param("Fatal('no topic', remedy='make it')", EXIT_FATAL, id="a start cures nothing"),
        pytest.param("Transient('no broker', remedy='start it')", EXIT_TRANSIENT, id="a start later may"),
        pytest.param("Fenced('too late', remedy='start again')", EXIT_FENCED, id="a start now does"),
        pytest.param("ZeroDivisionError('a defect')", EXIT_FATAL, id="a defect"),
    ],
)
def test_the_process_ends_with_its_engine(error: str, status: int) -> None:
    program = PROGRAM.format(error=error)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status, done.stderr
    assert "worker_failed" in done.stdout + done.stderr
