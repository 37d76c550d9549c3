"""What members of several groups are made of."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field

Seconds = Annotated[float, Field(gt=0)]
PerSecond = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
Principal = Annotated[str, Field(pattern=r"^[A-Za-z]+:[^*]+$")]
STRICT = ConfigDict(extra="forbid", frozen=True)


def address(url: str) -> str:
    """The address without a final slash. Raises `ValueError` for what is none, or holds a password, which would be logged."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write it like https://registry.example.com:8081")
    if parts.username or parts.password:
        raise ValueError("user and password have settings of their own")
    return url.rstrip("/")
