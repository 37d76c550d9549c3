"""The HTTP face without a store: what is answered before anything would be kept."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from infra.settings import WebhookSettings
from producers.webhooks.app import App, Store
from producers.webhooks.intake import Intake


def status(method: str, path: str) -> int:
    """What a request is answered with by an application that has no sources."""
    app = App(WebhookSettings(), {}, cast(Store, None), Intake("firm", models=(), max_depth=8))
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"method": method, "path": path, "headers": [], "client": ("127.0.0.1", 1)}
    asyncio.run(app(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param("OPTIONS", "*", 404, id="a question about the server as a whole, which has no slash"),
        pytest.param("GET", "//health", 404, id="one slash too many"),
        pytest.param("GET", "", 404, id="nothing"),
        pytest.param("GET", "/health", 200, id="a window"),
        pytest.param("OPTIONS", "/odoo/token", 405, id="a door is posted to"),
    ],
)
def test_any_path_has_an_answer(method: str, path: str, expected: int) -> None:
    assert status(method, path) == expected
