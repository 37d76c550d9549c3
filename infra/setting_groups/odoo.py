"""Odoo, and how it is captured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr

from infra.setting_groups.kinds import STRICT, Seconds


class OdooSettings(BaseModel):
    """How to reach Odoo. Without a URL, `burnline demo` starts the embedded one.

    `transport` is asked of the server unless it is set. `requests_per_second` and `share` (of the time, 1 is all of it) are the most
    that each process asks of Odoo.
    """

    model_config = STRICT
    url: str | None = None
    db: str | None = None
    user: str = "admin"
    password: SecretStr | None = None
    timeout: Seconds = 60.0
    transport: Literal["auto", "jsonrpc", "json2"] = "auto"
    requests_per_second: Annotated[float, Field(gt=0, le=10_000)] = 100.0
    share: Annotated[float, Field(gt=0, le=1)] = 1.0


class CaptureSettings(BaseModel):
    """How the capture polls. `overlap` must be longer than Odoo's longest transaction.

    Passes are `poll_interval` seconds apart while something changes, and up to `idle_interval` while nothing does. Every `sweep_interval` the sums of both
    sides are compared, and at every `content_every`-th sweep each record. More than `deletion_share` of a model's records gone at once are not believed.
    With a `log_topic`, where Debezium's connector tells what happens in Odoo's database, it polls only while nothing was heard of the
    connector for `log_silence` seconds. Its figures for Prometheus are at `metrics`, host and port.
    """

    model_config = STRICT
    poll_interval: Seconds = 0.5
    idle_interval: Seconds = 2.0
    overlap: Seconds = 150.0
    sweep_interval: Seconds = 60.0
    content_every: Annotated[int, Field(ge=1, le=10_000)] = 10
    deletion_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    page_size: Annotated[int, Field(ge=10, le=10_000)] = 1000
    metrics: str | None = None
    log_topic: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,200}$")] | None = None
    log_silence: Seconds = 30.0
