"""The supervisor keeps its children alive, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil

from burnline.supervisor import Child, Supervisor, delay_after

SLEEPER = "import sys, time; print('up', flush=True); sys.stdin.read()"


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def child():
    return Child("sleeper", [sys.executable, "-c", SLEEPER], dict(os.environ))


def test_a_child_that_is_killed_is_started_again():
    sleeper = child()
    with Supervisor([sleeper]):
        first = sleeper.process
        first.kill()
        wait_for(lambda: sleeper.process is not None and sleeper.process.pid != first.pid)
        second = sleeper.process
    assert second.poll() is not None


def test_a_child_that_dies_again_and_again_is_started_ever_less_often():
    failing = Child("failing", [sys.executable, "-c", "raise SystemExit(3)"], dict(os.environ))
    with Supervisor([failing]):
        wait_for(lambda: failing.deaths >= 3)
    delays = [delay_after(deaths) for deaths in range(10)]
    assert delays == sorted(delays)
    assert delays[3] > delays[0]
    assert delays[-1] == delays[-2]


def test_children_end_with_a_supervisor_that_is_killed():
    program = (
        "import os, sys, time\n"
        "from burnline.supervisor import Child, Supervisor\n"
        f"one = Child('sleeper', [sys.executable, '-c', {SLEEPER!r}], dict(os.environ))\n"
        "with Supervisor([one]):\n"
        "    print(one.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    pid = int(supervisor.stdout.readline())
    sleeper = psutil.Process(pid)
    supervisor.send_signal(signal.SIGKILL)
    supervisor.communicate()
    wait_for(lambda: not sleeper.is_running() or sleeper.status() == psutil.STATUS_ZOMBIE)
