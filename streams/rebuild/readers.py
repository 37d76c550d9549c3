"""Processes that read history, each a part of the partitions, while this one steps what they have read.

Rules
- A reader is told its task once, hands over page after page, and ends. What it may be ahead is what fits in its pipe.
- A reader that fails tells why, and that is raised here. One that dies without a word ends the rebuild as well: what it had is missing.
- Readers end with this process, however that ends, and with the rebuild.
"""

from __future__ import annotations

import contextlib
import fcntl
import marshal
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Self

from infra.errors import BurnlineError, Fatal, Transient
from infra.lifeline import watch_parent
from infra.settings import KafkaSettings
from streams.engine.topology import Topology
from streams.rebuild.pages import Page, Task, in_order, read, tidied

Compose = Callable[[], Topology]
"""Makes the topology, in whatever process it is called."""
PIPE = 1 << 20
"""Bytes that a pipe may hold: what Linux allows everybody. Elsewhere it holds what it holds, and processes wait more for each other."""
GRACE = 10.0


class Readers:
    """So many processes, which begin to start at once. Use as a context manager."""

    def __init__(self, settings: KafkaSettings, compose: Compose, count: int) -> None:
        """Start them; `settings` and `compose` must be picklable."""
        spawn = multiprocessing.get_context("spawn")
        self._readers: list[tuple[SpawnProcess, Connection, Connection]] = []
        for number in range(count):
            (tasks, task), (pages, page) = spawn.Pipe(duplex=False), spawn.Pipe(duplex=False)
            if hasattr(fcntl, "F_SETPIPE_SZ"):
                with contextlib.suppress(OSError):  # who runs many pipes may have no more room: it works with less
                    fcntl.fcntl(page.fileno(), fcntl.F_SETPIPE_SZ, PIPE)
            process = spawn.Process(
                target=_serve, args=(settings, compose, tasks, page), name=f"rebuild-reader-{number}", daemon=True
            )
            self._readers.append((process, task, pages))
            process.start()
            tasks.close()  # ours: the reader's end must be the only one, so that either notices when the other is gone
            page.close()

    def __enter__(self) -> Self:
        """Nothing more."""
        return self

    def __exit__(self, *_: object) -> None:
        """End those that have not ended."""
        for process, task, pages in self._readers:
            process.terminate()
            process.join(GRACE)
            if process.exitcode is None:
                process.kill()
                process.join()
            task.close()
            pages.close()

    def pages(self, task: Task) -> Iterator[Page]:
        """What all of them read, in the order of time. Can be asked once. Raises what a reader failed with, or `Transient` for one that died."""
        hands = task.dealt(len(self._readers))
        for (_, tasks, _), hand in zip(self._readers, hands, strict=False):
            with contextlib.suppress(BrokenPipeError):  # one that died is found out when it is listened to
                tasks.send(hand)
        return in_order([_received(process, pages) for process, _, pages in self._readers[: len(hands)]])


def _received(process: SpawnProcess, pages: Connection) -> Iterator[Page]:
    while True:
        try:
            data = pages.recv_bytes()
        except EOFError:
            process.join(GRACE)
            raise Transient(
                f"a process that read history has ended before its end (status {process.exitcode})",
                remedy="nothing was changed: rebuild again; if memory was short, with fewer `--processes`",
            ) from None
        said = loaded(data)
        if said is None:
            return
        if isinstance(said, BurnlineError):
            raise said
        yield said


def _serve(settings: KafkaSettings, compose: Compose, tasks: Connection, pages: Connection) -> None:
    """The life of a reader."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started it ends it
    last: BurnlineError | None = None
    try:
        topology = compose()
        task = tasks.recv()
        watch_parent(tasks.fileno())
        for page in tidied(read(settings, topology, task)):
            pages.send_bytes(dumped(page))
    except (EOFError, BrokenPipeError):
        return  # nobody listens any more
    except BurnlineError as error:
        last = error
    with contextlib.suppress(BrokenPipeError):
        pages.send_bytes(dumped(last))


def dumped(said: Page | BurnlineError | None) -> bytes:
    """What a reader says: a page, why it failed, or that there is no more."""
    match said:
        case Page():
            return marshal.dumps(tuple(said))
        case BurnlineError():
            kind = Transient if isinstance(said, Transient) else Fatal
            return marshal.dumps((kind.__name__, str(said), said.remedy))
    return marshal.dumps(None)


def loaded(data: bytes) -> Page | BurnlineError | None:
    """What was said."""
    match marshal.loads(data):  # noqa: S302  of a process of our own
        case [int(records), int(reaches), list(reads)]:
            return Page(records, reaches, reads)
        case [str(kind), str(message), str(remedy)]:
            return (Transient if kind == Transient.__name__ else Fatal)(message, remedy=remedy)
    return None
