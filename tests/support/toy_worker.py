"""A worker over the toy topology: `python -m tests.support.toy_worker PREFIX`, told the rest by `BURNLINE_` variables.

It leaves by SIGTERM after the batch at hand, or at once when its parent is gone; any error is its exit status.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

import structlog

from infra import logs
from infra.errors import BurnlineError
from infra.lifeline import watch_parent
from infra.settings import load_settings
from streams.engine.engine import Engine
from streams.engine.failures import exit_code
from tests.support.toy import topology


def main() -> None:
    logs.configure()
    watch_parent()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        Engine(load_settings(), topology(sys.argv[1])).run(stop)
    except BurnlineError as error:
        structlog.get_logger().critical("worker_failed", error=str(error), remedy=error.remedy)
        os._exit(exit_code(error))


if __name__ == "__main__":
    main()
