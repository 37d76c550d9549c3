"""What the runner does when one of its two sessions fails: the other one's finished calls are recorded before all begins anew."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

import pytest

from consumers.core.policy import Policy
from infra.errors import Transient
from infra.settings import KafkaSettings, Settings
from tests.support.governing import rule

run: Any = importlib.import_module("consumers.actions.run")  # the package offers a function of that name
RECORDED: list[str] = []


class Journal:
    """Records as long as it serves."""

    serving = False

    def __init__(self, _writer: object) -> None:
        RECORDED.clear()

    async def serve(self) -> None:
        Journal.serving = True
        try:
            await asyncio.Event().wait()
        finally:
            Journal.serving = False


class Overridden:
    def __init__(self, *_: object) -> None:
        pass

    async def serve(self, _executions: object) -> None:
        await asyncio.Event().wait()


class Session:
    """The first one fails, the second has a call under way that ends a moment later."""

    made = 0

    def __init__(self, *_: object) -> None:
        Session.made += 1
        self.first = Session.made == 1

    async def serve(self, ending: asyncio.Event) -> None:
        if self.first:
            raise Transient("the broker is away", remedy="wait")
        await ending.wait()
        await asyncio.sleep(0.05)
        if Journal.serving:
            RECORDED.append("succeeded")


def test_a_session_that_fails_lets_the_other_one_record_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, double in {"Journal": Journal, "Overridden": Overridden, "Session": Session}.items():
        monkeypatch.setattr(run, name, double)
    unused: Any = {"producer": lambda *_, **__: None, "EventWriter": lambda _: None, "Execution": lambda *_: None}
    for name, double in unused.items():
        monkeypatch.setattr(run, name, double)
    settings = Settings(kafka=KafkaSettings(bootstrap_servers="unused"))

    async def session() -> None:
        await run._session(settings, Policy((rule(),)), {}, None, asyncio.Event())

    with pytest.raises(Transient, match="away"):
        asyncio.run(session())
    assert Session.made == 2
    assert RECORDED == ["succeeded"]
