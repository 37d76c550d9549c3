"""The session with Odoo that all its targets share, and what becomes of Odoo's refusals."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from consumers.actions.targets.failed import TargetFailed
from consumers.core.plan import Planned
from consumers.core.retry import Failure
from consumers.core.targets.odoo_record import record_of
from infra.errors import Fatal, Transient
from infra.odoo.client import OdooClient, connect
from infra.odoo.failures import Refused
from infra.settings import OdooSettings

AT_ONCE = 4
"""Calls to Odoo under way: each takes one of its workers."""
MODULE = "burnline"
"""The module of the external ids that we give."""


class Odoo:
    """One session, used by few threads: a slow Odoo holds up its own actions only."""

    def __init__(self, settings: OdooSettings) -> None:
        """Nothing is sent yet; the session is opened when it is first needed, and again after it failed."""
        self._settings = settings
        self._client: OdooClient | None = None
        self._threads = ThreadPoolExecutor(AT_ONCE, "odoo-actions")
        self._connecting = threading.Lock()
        self._models: dict[str, int] = {}

    async def connect(self) -> None:
        """Open the session. Raises `Fatal` for what a person must correct, `Transient` when no Odoo answers."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._connected)

    async def do(self, work: Callable[[Odoo, OdooClient, Planned], str | None], planned: Planned) -> str | None:
        """Do the work within the session. Raises `TargetFailed`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._do, work, planned)

    def close(self) -> None:
        """Let the call under way end; the session ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def model_id(self, client: OdooClient, model: str) -> int:
        """The id of a model. Raises `TargetFailed` where Odoo has none of that name."""
        if model not in self._models:
            found = client.search("ir.model", [("model", "=", model)])
            if not found:
                raise TargetFailed(Failure(f"Odoo has no model {model}", final=True))
            self._models[model] = found[0]
        return self._models[model]

    def _connected(self) -> OdooClient:
        with self._connecting:
            if self._client is None:
                self._client = connect(self._settings)
            return self._client

    def _do(self, work: Callable[[Odoo, OdooClient, Planned], str | None], planned: Planned) -> str | None:
        try:
            return work(self, self._connected(), planned)
        except (
            Transient,
            Fatal,
        ) as error:  # a login that was lost, a proxy that refuses: others have their turn meanwhile
            self._client = None
            raise TargetFailed(Failure(str(error))) from error
        except Refused as error:
            raise TargetFailed(Failure(str(error), final=True)) from error


class OdooTarget:
    """A kind of target that is a piece of work in Odoo. What is made has an external id, so doing it twice makes one."""

    idempotent = True

    def __init__(
        self,
        odoo: Odoo | None,
        kind: str,
        rules: Sequence[str],
        work: Callable[[Odoo, OdooClient, Planned], str | None],
    ) -> None:
        """Do `work` for these rules of the policy. Raises `Fatal` where no Odoo is configured."""
        if odoo is None:
            raise Fatal(
                f"the policy rule {rules[0]} has the target {kind}, but no Odoo is configured",
                remedy="set ODOO_URL, ODOO_DB, ODOO_USER and ODOO_PASSWORD, or take the target out of the policy",
            )
        self._odoo, self._work = odoo, work

    async def check(self) -> None:
        """A wrong password is told at once; an Odoo that is down is waited for by each action."""
        await self._odoo.connect()

    async def act(self, planned: Planned) -> str | None:
        """Do it; returns `<model>:<id>`."""
        return await self._odoo.do(self._work, planned)

    async def close(self) -> None:
        """Give the session up."""
        self._odoo.close()


def record(planned: Planned) -> tuple[str, int]:
    """Model and id of the record that the alert is about. Raises `TargetFailed` where it is none of Odoo's."""
    subject = planned.alert["meta"]["subject"]
    found = record_of(subject)
    if found is None:
        raise TargetFailed(Failure(f"{subject} is no record of Odoo", final=True))
    return found


def external_name(planned: Planned) -> str:
    """The name, within `MODULE`, of what an alert leads to over its life: the same for opening, changing and closing."""
    return f"alert_{planned.thread.replace('-', '')}"


def load(client: OdooClient, model: str, row: dict[str, str], what: str) -> str:
    """Create the record of an external id, or update it; returns `<model>:<id>`. Raises `TargetFailed` with Odoo's reasons."""
    loaded = client.call(model, "load", fields=list(row), data=[list(row.values())])
    if not loaded["ids"]:
        reasons = "; ".join(str(message["message"]).partition("\n")[0] for message in loaded["messages"])
        raise TargetFailed(Failure(f"Odoo refused {what}: {reasons}", final=True))
    return f"{model}:{loaded['ids'][0]}"


def closed(
    client: OdooClient,
    planned: Planned,
    model: str,
    field: str,
    *,
    still: Callable[[object], bool],
    how: Callable[[int], object],
) -> str | None:
    """Close what an alert led to, `how` it is done, where its `field` says that it is `still` open. None where it never was, or a person deleted it."""
    identity = known(client, model, external_name(planned))
    if identity is None:
        return None
    for row in client.read(model, [identity], [field]):
        if still(row[field]):
            how(identity)
    return f"{model}:{identity}"


def known(client: OdooClient, model: str, name: str) -> int | None:
    """The id of the record of this external name; None where there never was one, or a person deleted it."""
    domain = [("module", "=", MODULE), ("name", "=", name), ("model", "=", model)]
    found = client.search_read("ir.model.data", domain, ["res_id"])
    return int(found[0]["res_id"]) if found else None
