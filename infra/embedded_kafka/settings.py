"""What a person may decide about the broker that Burnline brings along (`BURNLINE_BROKER__*`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import BaseModel, ConfigDict, Field


def _cache(folder: str) -> Path:
    return Path(platformdirs.user_cache_dir("burnline")) / folder


class BrokerSettings(BaseModel):
    """The embedded broker: where it listens (0 picks a free port), where it keeps things, where its jars come from.

    `maven_repository` is the URL of the Maven repository to use and no other. Without it, a mirror of Maven Central in
    the user's Maven settings is used, then jgo's own defaults. `heap` is Java's maximum heap, as in `-Xmx`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    port: Annotated[int, Field(ge=0, le=65535)] = 9092
    data_dir: Path = Field(default_factory=lambda: _cache("kafka"))
    cache_dir: Path = Field(default_factory=lambda: _cache("kafka-runtime"))
    maven_repository: str | None = None
    heap: Annotated[str, Field(pattern=r"^[1-9][0-9]*[mMgG]$")] = "256m"
