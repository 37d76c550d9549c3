"""Where deliveries come in, and from whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import BaseModel, BeforeValidator, Field, IPvAnyNetwork, SecretStr

from infra.setting_groups.kinds import STRICT, PerSecond, Port, Seconds


class WebhookSource(BaseModel):
    """One sender: its Standard Webhooks secret (`whsec_…`), its kind, the networks it may call from (all, if none is named), and its rate.

    While one secret replaces another, both stand there, apart by a space. The `kind` says what it may speak of (docs/webhooks.md); it may be
    left out where the source is named like it. Without a `rate`, that of all sources holds.
    """

    model_config = STRICT
    secret: SecretStr
    kind: str | None = None
    allow: tuple[IPvAnyNetwork, ...] = ()
    rate: PerSecond | None = None


class WebhookSettings(BaseModel):
    """Where deliveries come in.

    `sources` maps a sender's name to its secret, or to an object with more about it. `odoo_token` is the part of the address that Odoo's own
    posts are known by; while one replaces another, both stand there, apart by a space. A sender behind one of `proxies` is the one that
    these name. `rate` is of posts a second of each source, twice as many at once. What was accepted is kept in `spool_dir`, at most
    `spool_max_bytes` of it, until Kafka has it; a delivery is known again for `remember` seconds. `ack_timeout` bounds the wait for the
    disk, `odoo_ack_timeout` the wait that Odoo's users feel: Odoo gives up after one second.
    """

    model_config = STRICT
    host: str = "127.0.0.1"
    port: Port = 8787
    sources: dict[
        str, Annotated[WebhookSource, BeforeValidator(lambda one: {"secret": one} if isinstance(one, str) else one)]
    ] = Field(default_factory=dict)
    odoo_token: SecretStr | None = None
    odoo_allow: tuple[IPvAnyNetwork, ...] = ()
    proxies: tuple[IPvAnyNetwork, ...] = ()
    rate: PerSecond = 1000.0
    max_body_bytes: Annotated[int, Field(ge=1024, le=10_000_000)] = 262_144
    max_depth: Annotated[int, Field(ge=1, le=100)] = 32
    tolerance: Seconds = 300.0
    remember: Seconds = 259_200.0
    ack_timeout: Seconds = 5.0
    odoo_ack_timeout: Annotated[float, Field(gt=0, lt=1)] = 0.05
    spool_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_state_dir("burnline")) / "webhooks")
    spool_max_bytes: Annotated[int, Field(ge=100_000)] = 1_073_741_824
