"""The way to a model: one question over HTTP, an answer within its time and size, or none."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import httpx

from infra.settings import AssistSettings

LARGEST = 65_536


class NoAnswer(Exception):  # noqa: N818  what it is
    """There is none, and why."""


class Model:
    """An endpoint that takes JSON and gives JSON. Not for several threads."""

    def __init__(self, settings: AssistSettings) -> None:
        """Nothing is sent before it is asked."""
        self._url = settings.model_url or ""
        self._limit = settings.timeout
        token = settings.model_token
        self._headers = {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        self._client = httpx.Client(timeout=self._limit, follow_redirects=False)
        self.name = f"model {urlsplit(self._url).hostname}"

    def ask(self, question: dict[str, Any]) -> bytes:
        """Its answer. Raises `NoAnswer` where there is none within the time, it is too large, or it is an error."""
        ends = time.monotonic() + self._limit
        body = b""
        try:
            with self._client.stream("POST", self._url, json=question, headers=self._headers) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise NoAnswer(f"HTTP {answer.status_code}")
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise NoAnswer(f"it is larger than {LARGEST} bytes")
                    if time.monotonic() > ends:
                        raise NoAnswer(f"it took longer than {self._limit:g} s")
        except httpx.HTTPError as error:
            raise NoAnswer(type(error).__name__) from error
        return body

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()
