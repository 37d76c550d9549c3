"""Runs the application on uvicorn: binds first, so that the port is known and a taken one is told in a sentence."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator

import structlog
import uvicorn
import uvloop
from pydantic import SecretStr

from infra.errors import Fatal
from infra.settings import Settings, WebhookSettings
from producers.core.mapping import captured_models
from producers.core.messages import KINDS
from producers.core.policy import CapturePolicy
from producers.core.webhook_signature import secrets
from producers.webhooks.app import App, Source, Store, gate, rate
from producers.webhooks.forwarder import Forwarder
from producers.webhooks.intake import Intake
from producers.webhooks.keeper import Keeper
from producers.webhooks.spool import Spool

log = structlog.get_logger()
ROOM = 10_000
"""Bytes of a delivery's record beside its body."""
LEAST_TOKEN = 32
MOST_AT_ONCE = 2000
"""Connections and requests at a time; beyond that a sender is told 503."""


class _Server(uvicorn.Server):
    """Stops on an event too, for callers that run it in a thread, where no signal arrives.

    It stops, too, when a thread of the store died: nothing could be promised any more. Uvicorn raises a signal again once it has stopped,
    which would end the process before the store is closed; this one returns instead.
    """

    def __init__(self, config: uvicorn.Config, stop: threading.Event, store: Store) -> None:
        super().__init__(config)
        self._stop, self._store = stop, store

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
        working = self._store.keeper.alive and self._store.forwarder.alive
        return self._stop.is_set() or not working or await super().on_tick(counter)


def sources(settings: WebhookSettings) -> dict[str, Source]:
    """Every configured source. Raises `Fatal` naming the variable whose secret is of no use, or whose kind there is none of."""
    made = {}
    for name, one in settings.sources.items():
        try:
            keys = secrets(one.secret.get_secret_value())
        except ValueError as error:
            raise Fatal(
                f"BURNLINE_WEBHOOKS__SOURCES__{name.upper()}: {error}",
                remedy="give a secret as whsec_<base64 of 24 to 64 random bytes>",
            ) from None
        kind = one.kind or name
        if kind not in KINDS:
            raise Fatal(
                f"BURNLINE_WEBHOOKS__SOURCES__{name.upper()}: there is no kind of source {kind!r}",
                remedy=f'give it one, as in {{"secret": "whsec_…", "kind": "n8n"}}: {", ".join(KINDS)}',
            )
        made[name] = Source(name, KINDS[kind], gate(settings, keys), one.allow, rate(one.rate or settings.rate))
    return made


def _guessable(token: SecretStr | None) -> None:
    short = token is not None and any(len(word) < LEAST_TOKEN for word in token.get_secret_value().split() or [""])
    if short:
        raise Fatal(
            f"BURNLINE_WEBHOOKS__ODOO_TOKEN has fewer than {LEAST_TOKEN} characters, and nothing else keeps strangers out",
            remedy="make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )


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
    policy: CapturePolicy | None = None,
    on_listening: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or `stop`; then answer what is under way, and send on what can be sent at once.

    `on_listening` gets the port, which is chosen by the system where the settings say 0. Kafka need not be up: what was accepted waits in
    the spool. Hints of models that nothing is captured of under `policy` are parked. Raises `Fatal` for a port or a spool in use, a secret
    of no use, or bodies that no record could hold.
    """
    known, models = sources(settings.webhooks), captured_models(policy or CapturePolicy())
    _guessable(settings.webhooks.odoo_token)
    _fits(settings)
    with _bind(settings.webhooks.host, settings.webhooks.port) as listener, _store(settings) as store:
        port = listener.getsockname()[1]
        log.info(
            "webhooks_listening",
            host=settings.webhooks.host,
            port=port,
            sources=sorted(known),
            odoo=settings.webhooks.odoo_token is not None,
        )
        if on_listening is not None:
            on_listening(port)
        ended = stop or threading.Event()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(
                _serve(settings, known, database=database, models=models, listener=listener, store=store, stop=ended)
            )
        if not (store.keeper.alive and store.forwarder.alive):
            raise Fatal("a thread of the webhook server died", remedy="read its traceback above; start it again")


@contextlib.contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    own = settings.webhooks
    spool = Spool(own.spool_dir, remember=own.remember, max_bytes=own.spool_max_bytes)
    keeper = Keeper(spool)
    forwarder = Forwarder(settings.kafka, spool, keeper)
    try:
        yield Store(spool, keeper, forwarder)
    finally:
        forwarder.close()
        keeper.close()
        log.info("webhooks_stopped", waiting_bytes=spool.waiting_bytes)
        spool.close()


async def _serve(
    settings: Settings,
    known: dict[str, Source],
    *,
    database: str,
    models: Collection[str],
    listener: socket.socket,
    store: Store,
    stop: threading.Event,
) -> None:
    own = settings.webhooks
    intake = Intake(database, models=models, max_depth=own.max_depth)
    config = uvicorn.Config(
        App(own, known, store, intake),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # an address may hold a token
        server_header=False,
        proxy_headers=False,  # which proxies are believed is a setting of ours
        limit_concurrency=MOST_AT_ONCE,
        timeout_graceful_shutdown=int(own.ack_timeout) + 2,
    )
    await _Server(config, stop, store).serve(sockets=[listener])
