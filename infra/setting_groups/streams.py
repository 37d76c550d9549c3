"""The workers, and the clock that they go by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import AfterValidator, BaseModel, Field, SecretStr

from infra.setting_groups.kinds import STRICT, Port, Seconds, address


class StreamsSettings(BaseModel):
    """How a worker runs. `instance` is stable across restarts: it is the worker's identity to the broker.

    A batch ends with the first of `batch_records` and `batch_bytes`; the client reads ahead as much again, and no more. `standbys` other
    workers follow each state, to take it over without restoring it. States take `memory_mb` megabytes of memory together, those that are
    followed included; subjects beyond that which nothing moves are put away under `data_dir`. `advertised_url` is where the other workers' clients find this one's
    pages; by default where they are served. Who asks for a state from elsewhere than this machine needs `state_token`; while one replaces
    another, both stand there, apart by a space.
    """

    model_config = STRICT
    instance: str = "worker-0"
    group: str = "burnline.streams"
    batch_records: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    batch_bytes: Annotated[int, Field(ge=100_000, le=100_000_000)] = 16_000_000
    linger: Annotated[float, Field(ge=0, le=5)] = 0.005
    session_timeout: Seconds = 10.0
    transaction_timeout: Seconds = 30.0
    checkpoint_every: Seconds = 300.0
    memory_mb: Annotated[float, Field(ge=0)] = 2000
    standbys: Annotated[int, Field(ge=0, le=10)] = 1
    web_host: str = "127.0.0.1"
    web_port: Port = 6066
    advertised_url: Annotated[str, AfterValidator(address)] | None = None
    state_token: SecretStr | None = None
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("burnline")) / "streams")


class ClockSettings(BaseModel):
    """How often the clock ticks."""

    model_config = STRICT
    period: Annotated[int, Field(ge=1, le=86_400)] = 60
