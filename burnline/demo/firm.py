"""The Odoo the demo listens to: the configured one, or the embedded one with a simulated firm at work, as a child process."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from burnline.supervisor import SPARING, Child
from infra.embedded_odoo.handle import DB, PASSWORD, USER
from infra.errors import Fatal
from infra.settings import OdooSettings

START_TIMEOUT = 90.0


@dataclass(frozen=True, slots=True)
class EmbeddedFirm:
    """The embedded Odoo: where it answers and where its database stands."""

    url: str
    data: Path

    def child(self, *, rate: float, webhook: str, log_file: Path) -> Child:
        """The process to supervise: it takes up the firm where it was left."""
        port = self.url.rpartition(":")[2]
        command = [
            sys.executable, "-m", "infra.embedded_odoo", "--data", str(self.data), "--port", port,
            "--rate", str(rate), "--webhook", webhook, "--lifeline",
        ]  # fmt: skip
        return Child("odoo", command, {**SPARING, **os.environ}, log_file)

    def wait(self) -> OdooSettings:
        """Its settings, once it answers. Raises `Fatal` when it does not in time."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/firm/status", timeout=5).raise_for_status()
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            return OdooSettings(url=self.url, db=DB, user=USER, password=SecretStr(PASSWORD))
        raise Fatal(
            f"the embedded Odoo did not answer on {self.url} within {START_TIMEOUT:.0f} s",
            remedy="see its log in the demo's folder",
        )

    def pause(self) -> None:
        """Return once the firm has stopped working and its last transaction is committed."""
        httpx.post(f"{self.url}/firm/pause", timeout=60).raise_for_status()

    def resume(self) -> None:
        """Let the firm work on."""
        httpx.post(f"{self.url}/firm/resume", timeout=60).raise_for_status()
