"""Readers end with the process that began them, whatever they are at. No broker is needed: nobody answers at the address they are given."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
import pytest

from tests.support.drill import until

PROGRAM = """
import sys, threading, time
from functools import partial
from infra.settings import KafkaSettings
from streams import core
from streams.rebuild.pages import Task
from streams.rebuild.readers import Readers
from streams.wiring import topology

compose = partial(topology, core.Measures())
widths = {processor.input: 1 for processor in compose().processors}
ranges = {("ops.clock.v1", 0): (0, 10), ("delivery.timesheet.v1", 0): (0, 10)}
with Readers(KafkaSettings(bootstrap_servers="127.0.0.1:1"), compose, 2) as readers:
    if sys.argv[1] == "reading":
        pages = readers.pages(Task(ranges, {place: rank for rank, place in enumerate(ranges)}, widths))
        threading.Thread(target=next, args=(pages,), daemon=True).start()
    print("begun", flush=True)
    time.sleep(120)
"""


@pytest.mark.parametrize("doing", ["waiting", "reading"])
def test_a_killed_rebuild_leaves_no_reader(doing: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, doing], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        readers = psutil.Process(process.pid).children(recursive=True)
        try:
            assert len(readers) >= 2
            if doing == "reading":
                until(lambda: sum(reader.num_threads() > 3 for reader in readers) == 2, "readers with a client each")
            process.send_signal(signal.SIGKILL)
            until(lambda: not any(_runs(reader) for reader in readers), "readers that have ended")
        finally:
            process.kill()
            for reader in readers:
                if _runs(reader):
                    reader.kill()


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
