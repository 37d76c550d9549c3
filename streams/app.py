"""The streams worker: a Faust app around the engine (`faust -A streams.app worker`, or `burnline streams`).

Faust gives the worker its life (signals, services, command line), its web pages, timers, and an agent for the live view. Its own Kafka
machinery stays off: nothing that must not be lost goes through it, so a worker is a member of one group, the engine's.
"""

from __future__ import annotations

import logging
import socket
import sys
from typing import NoReturn

import faust
import structlog
from faust.app.base import BootStrategy

from infra import logs
from infra.errors import BurnlineError, Fatal
from infra.kafka.clients import broker_answers
from infra.settings import Settings, load_settings
from streams.engine.engine import Engine
from streams.engine.failures import exit_code
from streams.live import Live
from streams.pages import add_pages
from streams.service import engine_service
from streams.visitors import tokens
from streams.wiring import measures_policy, topology

log = structlog.get_logger()


class EngineOnly(BootStrategy):
    """Starts the web server and our services, and none of Faust's Kafka clients."""

    enable_kafka = False


class Worker(faust.App):
    """The app; it differs from any other in what it starts."""

    BootStrategy = EngineOnly


def create_app(settings: Settings) -> faust.App:
    """The app for these settings; nothing is connected yet. Raises `Fatal` for settings that no worker can run with."""
    streams, kafka = settings.streams, settings.kafka
    if kafka.bootstrap_servers is None:
        raise Fatal(
            "no Kafka broker is configured",
            remedy="set BURNLINE_KAFKA__BOOTSTRAP_SERVERS, or run `burnline broker start`",
        )
    held = tokens(streams.state_token)
    port = streams.web_port or _free_port(streams.web_host)
    if streams.advertised_url is None:
        streams = streams.model_copy(update={"advertised_url": f"http://{_reachable(streams.web_host)}:{port}"})
        settings = settings.model_copy(update={"streams": streams})
    engine = Engine(settings, topology(measures_policy(settings)))
    folder = streams.data_dir / streams.instance
    folder.mkdir(parents=True, exist_ok=True)  # Faust wants one, though nothing is kept there
    app = Worker(
        f"{streams.group}.app",
        broker=f"kafka://{kafka.bootstrap_servers}",
        autodiscover=False,
        datadir=str(folder),
        web_bind=streams.web_host,
        web_host=streams.web_host,
        web_port=port,
        worker_redirect_stdouts=False,
    )
    add_pages(app, engine, Live(app, engine), held)
    app.service(engine_service(engine))
    log.info("pages_served", host=streams.web_host, port=app.conf.web_port)
    return app


def _free_port(host: str) -> int:
    """A port that nobody has just now: Faust takes no 0."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _reachable(host: str) -> str:
    """How others name this host: one that listens on all of its addresses goes by its name."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104  compared with, not bound to
        return socket.getfqdn()
    return f"[{host}]" if ":" in host else host


def run(settings: Settings) -> NoReturn:
    """Work until SIGTERM or SIGINT, then leave in order: the process ends here, with status 0.

    Raises `Transient` when no broker answers, `Fatal` for settings that no worker can run with; later failures end the process
    with the status of `streams.engine.failures`.
    """
    app = create_app(settings)
    broker_answers(settings.kafka)
    worker = faust.Worker(app, loglevel=logging.WARNING, quiet=True, redirect_stdouts=False)
    worker.spinner = None  # it would write to a standard output that is not Faust's
    worker.execute_from_commandline()


def _begin() -> Settings:
    """What the command line does before it runs a worker."""
    settings = load_settings()
    logs.configure(settings.log_level)
    if settings.registry.url is not None:
        from infra.registry.start import install  # noqa: PLC0415  a process without a registry does without its client

        install(settings.registry)
    return settings


def main() -> int:
    """A worker without the command line around it: `python -m streams.app`."""
    try:
        run(_begin())
    except BurnlineError as error:
        log.critical("worker_failed", error=str(error), remedy=error.remedy)
        return exit_code(error)


def __getattr__(name: str) -> faust.App:
    """Make `app` when it is first asked for (`faust -A streams.app`), so that importing this module reads no settings."""
    if name != "app":
        raise AttributeError(name)
    made = create_app(_begin())
    globals()["app"] = made
    return made


if __name__ == "__main__":
    sys.exit(main())
