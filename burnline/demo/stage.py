"""Set the stage: a broker, topics, an Odoo, and every process of Burnline as a supervised child; and clear it away again.

Rules
- What is already there is used, what was started is stopped; data stays, so that a second demo begins where the first ended,
  also where the first was killed.
- The clock starts when the history is loaded, so that no alert speaks of a half-read past.
"""

from __future__ import annotations

import base64
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from burnline.demo.firm import EmbeddedFirm
from burnline.demo.keeper import BrokerKeeper
from burnline.demo.receiver import Receiver
from burnline.demo.watch import Watch
from burnline.environment import use_registry, with_broker
from burnline.proof import measured
from burnline.readiness import history_is_loaded
from burnline.supervisor import SPARING, Supervisor, burnline_child
from infra import embedded_kafka
from infra.config import read_config
from infra.errors import Fatal
from infra.kafka import topics
from infra.kafka.clients import client_config
from infra.registry import open_registry, publish, survey
from infra.settings import OdooSettings, Settings
from schemas import released

HISTORY_TIMEOUT = 600.0
PROCESSES = ("webhooks", "capture", "streams", "actions --govern")


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and how to reach it."""

    settings: Settings
    config: dict[str, object]
    broker: embedded_kafka.BrokerHandle
    odoo: OdooSettings
    firm: EmbeddedFirm | None
    receiver: Receiver
    webhooks_url: str
    helpdesk_secret: str
    folder: Path
    logs: Path
    supervisor: Supervisor
    watch: Watch


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_secret() -> str:
    """A Standard Webhooks secret."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def publish_to(settings: Settings) -> None:
    """Bring the configured registry in line, as the topics are."""
    registry = open_registry(settings.registry)
    publish(registry, [line for line in survey(registry, released.index()) if not line.in_line])


@contextmanager
def set_up(settings: Settings, *, rate: float, progress: Callable[[str], None]) -> Iterator[Stage]:
    """The stage, while the context lasts. Raises `Fatal` or `Transient` for whatever cannot be had."""
    folder = settings.demo.data_dir
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    token, helpdesk, outgoing, port = secrets.token_urlsafe(24), new_secret(), new_secret(), free_port()
    with ExitStack() as stack:
        progress("a broker")
        configured = settings.kafka.bootstrap_servers
        client = client_config(settings.kafka) if configured else None
        broker = embedded_kafka.choose(settings.broker, configured=configured, client=client, progress=progress)
        stack.callback(broker.stop)
        settings = with_broker(settings, broker.bootstrap_servers)
        progress("topics")
        topics.apply(settings.kafka, topics.plan(settings.kafka))
        if settings.registry.url is not None:
            progress("schemas")
            publish_to(settings)
            use_registry(settings)
        watch = stack.enter_context(Watch(settings.kafka))
        supervisor = stack.enter_context(Supervisor([]))
        receiver = stack.enter_context(Receiver(outgoing))
        webhooks_url = f"http://127.0.0.1:{port}"
        firm, odoo = None, settings.odoo
        if odoo.url is None:
            progress("an Odoo, with half a year of a firm's history")
            firm = EmbeddedFirm(f"http://127.0.0.1:{free_port()}", folder / "firm.db")
            supervisor.add(firm.child(rate=rate, webhook=f"{webhooks_url}/odoo/{token}", log_file=logs / "odoo.log"))
            odoo = firm.wait()
        elif odoo.db is None:
            raise Fatal("ODOO_URL is set, but not which database", remedy="set ODOO_DB too")
        config_file = folder / "demo.yaml" if settings.config is None else settings.config
        if settings.config is None:
            config_file.write_text(
                yaml.safe_dump(firm_rules(receiver.url, simulated=firm is not None)), encoding="utf-8"
            )
        variables = {
            **SPARING,
            **os.environ,
            "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "ODOO_URL": odoo.url or "",
            "ODOO_DB": odoo.db or "",
            "ODOO_USER": odoo.user,
            "ODOO_PASSWORD": odoo.password.get_secret_value() if odoo.password else "",
            "BURNLINE_CONFIG": str(config_file),
            "BURNLINE_WEBHOOKS__PORT": str(port),
            "BURNLINE_WEBHOOKS__ODOO_TOKEN": token,
            "BURNLINE_WEBHOOKS__SPOOL_DIR": str(folder / "webhooks"),
            "BURNLINE_WEBHOOKS__SOURCES": f'{{"helpdesk": "{helpdesk}"}}',
            "BURNLINE_ACTIONS__ALLOWED_NETWORKS": '["127.0.0.0/8"]',  # the demo's own receiver
            "BURNLINE_ACTIONS__WEBHOOK_SECRETS": f'{{"demo": "{outgoing}"}}',
            "BURNLINE_STREAMS__WEB_PORT": str(free_port()),
            "BURNLINE_STREAMS__BATCH_RECORDS": "2000",  # a batch is held in memory, and this machine has other things to do
            "BURNLINE_CAPTURE__SWEEP_INTERVAL": "10",
            "BURNLINE_CLOCK__PERIOD": "5",
        }
        settings = settings.model_copy(update={"odoo": odoo})
        for command in PROCESSES:
            supervisor.add(burnline_child(*command.split(), environment=variables, log_folder=logs))
        stage = Stage(
            settings,
            read_config(config_file),
            broker,
            odoo,
            firm,
            receiver,
            webhooks_url,
            helpdesk,
            folder,
            logs,
            supervisor,
            watch,
        )
        if broker.kind == "embedded":
            stack.enter_context(BrokerKeeper(settings.broker))
        watch.know(measured.latest(settings.kafka, tenant=odoo.db or ""))
        progress("the firm's history")
        _wait_for_history(stage)
        supervisor.add(burnline_child("clock", environment=variables, log_folder=logs))
        yield stage


def firm_rules(webhook_url: str, *, simulated: bool) -> dict[str, object]:
    """What the demo's firm decides: that alerts become activities and signed webhooks, and, if it is simulated, its approval field."""
    activity = {"target": "odoo_activity", "summary": "$rule at $level", "user": "responsible", "deadline_days": 2}
    webhook = {"target": "webhook", "url": webhook_url, "secret": "demo"}
    return {
        "capture": {"approved": {"field": "x_approved"}} if simulated else {},
        "actions": {
            "rules": [
                {
                    "name": "follow-up",
                    "owner": "delivery-operations",
                    "when": {"severity": "warning"},
                    "then": [activity],
                    "service_level": "PT4H",
                    "alternates": ["operations-lead"],
                },
                {"name": "tell-n8n", "owner": "platform", "when": {"severity": "notice"}, "then": [webhook]},
            ]
        },
    }


def _wait_for_history(stage: Stage) -> None:
    from producers.capture.survey import readable_models

    models = readable_models(stage.settings, stage.config)
    deadline = time.monotonic() + HISTORY_TIMEOUT
    while not history_is_loaded(stage.settings.kafka, stage.odoo.db or "", models):
        if time.monotonic() > deadline:
            raise Fatal(
                f"the history was not loaded within {HISTORY_TIMEOUT:.0f} s", remedy=f"see {stage.logs / 'capture.log'}"
            )
        time.sleep(0.2)
