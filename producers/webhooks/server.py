"""Runs the application on uvicorn: binds first, so that the port is known and a taken one is told in a sentence."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import structlog
import uvicorn

from infra.errors import Fatal
from infra.settings import Settings, WebhookSettings
from producers.core.webhook_admission import Gate
from producers.core.webhook_signature import secrets
from producers.webhooks.app import gate, make_app
from producers.webhooks.outbox import Outbox

log = structlog.get_logger()
ROOM = 10_000
"""Bytes of a delivery's record beside its body."""


class _Server(uvicorn.Server):
    """Stops on an event too, for callers that run it in a thread, where no signal arrives.

    Uvicorn raises a signal again once it has stopped, which would end the process before its acknowledgements are in; this one
    returns instead.
    """

    def __init__(self, config: uvicorn.Config, stop: threading.Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def on_tick(self, counter: int) -> bool:
        return self._stop.is_set() or await super().on_tick(counter)


def gates(settings: WebhookSettings) -> dict[str, Gate]:
    """The gate of every configured source. Raises `Fatal` naming the variable whose secret is of no use."""
    made = {}
    for name, text in settings.sources.items():
        try:
            made[name] = gate(settings, secrets(text.get_secret_value()))
        except ValueError as error:
            raise Fatal(
                f"BURNLINE_WEBHOOKS__SOURCES__{name.upper()}: {error}",
                remedy="give a secret as whsec_<base64 of 24 to 64 random bytes>",
            ) from None
    return made


def _fits(settings: Settings) -> None:
    body, record = settings.webhooks.max_body_bytes, settings.kafka.max_message_bytes
    if body > record - ROOM:
        raise Fatal(
            f"webhooks would accept bodies of {body:,} bytes, and a record takes {record:,}",
            remedy="lower BURNLINE_WEBHOOKS__MAX_BODY_BYTES, or raise BURNLINE_KAFKA__MAX_MESSAGE_BYTES and run `burnline topics apply`",
        )


def _bind(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Fatal(
            f"webhooks cannot listen on {host}:{port}: {error.strerror}",
            remedy="stop what listens there, or set BURNLINE_WEBHOOKS__PORT (0 takes any free one)",
        ) from error


def serve(
    settings: Settings,
    *,
    database: str,
    on_listening: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or `stop`; then answer what is under way, and wait for its acknowledgements.

    `on_listening` gets the port, which is chosen by the system where the settings say 0. Kafka need not be up: senders are
    told 503 until it is. Raises `Fatal` for a port in use, a secret of no use, or bodies that no record could hold.
    """
    doors = gates(settings.webhooks)
    _fits(settings)
    with _bind(settings.webhooks.host, settings.webhooks.port) as listener:
        port = listener.getsockname()[1]
        log.info(
            "webhooks_listening",
            host=settings.webhooks.host,
            port=port,
            sources=sorted(doors),
            odoo=settings.webhooks.odoo_token is not None,
        )
        if on_listening is not None:
            on_listening(port)
        asyncio.run(_serve(settings, doors, database, listener, stop or threading.Event()))


async def _serve(
    settings: Settings, doors: dict[str, Gate], database: str, listener: socket.socket, stop: threading.Event
) -> None:
    outbox = Outbox(settings.kafka)
    patience = settings.webhooks.ack_timeout + 1
    config = uvicorn.Config(
        make_app(settings.webhooks, doors, outbox, database),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # an address may hold a token
        server_header=False,
        timeout_graceful_shutdown=int(patience) + 1,
    )
    try:
        await _Server(config, stop).serve(sockets=[listener])
    finally:
        given_up = await asyncio.to_thread(outbox.close, patience)
        log.info("webhooks_stopped", records_given_up=given_up)
