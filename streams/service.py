"""The engine as a service of the Faust app: it starts and stops with the app, and takes the process along when it fails.

Invariant: a process in which the engine is dead does not go on, not even to shut down in order, since an orderly end is what
an engine that failed must not have.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import structlog
from mode import Service

from infra.errors import BurnlineError
from streams.engine.engine import Engine
from streams.engine.failures import exit_code

log = structlog.get_logger()


def engine_service(engine: Engine) -> type[Service]:
    """A service class that runs this engine in a thread of its own, as `app.service` wants it."""

    class EngineService(Service):
        """Starts the engine, and ends with it."""

        def __init__(self, **kwargs: Any) -> None:
            self._leave = threading.Event()
            self._thread = threading.Thread(target=_run, args=(engine, self._leave), name="engine", daemon=True)
            super().__init__(**kwargs)

        async def on_start(self) -> None:
            """Begin to work."""
            self._thread.start()

        async def on_stop(self) -> None:
            """Return once the batch at hand is committed and the engine has left its group."""
            self._leave.set()
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    return EngineService


def _run(engine: Engine, leave: threading.Event) -> None:
    try:
        engine.run(leave)
    except BurnlineError as error:
        log.critical("worker_failed", error=str(error), remedy=error.remedy)
        os._exit(exit_code(error))
    except BaseException as error:  # a defect, and the process must not outlive it
        log.critical("worker_failed", error=repr(error), exc_info=True)
        os._exit(exit_code(error))
