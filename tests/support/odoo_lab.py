"""A real Odoo of one's own, which may be killed: the lab's program and packages, with folders, ports and a database of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.support.ports import free_port

LAB = Path(__file__).resolve().parents[3] / "shared" / "odoo" / "lab"
PARTS = ("odoo-19", "venv")


class OwnLab:
    """One Odoo and one PostgreSQL. `shared` is the folder of a lab that is built; nothing of it is changed."""

    db, user, password = "odoolab", "admin", "admin"

    def __init__(self, folder: Path, shared: Path) -> None:
        self._folder = folder
        folder.mkdir()
        for part in PARTS:
            (folder / part).symlink_to((shared / part).resolve())
        self.port, self._pg_port = free_port(), free_port()
        self._pg_home = Path(f"/var/tmp/burnline-drill-pg-{self._pg_port}")  # noqa: S108  where the server's own user may go
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            "ODOO_LAB": str(folder),
            "ODOO_PORT": str(self.port),
            "ODOO_PGPORT": str(self._pg_port),
            "ODOO_PGHOME": str(self._pg_home),
        }

    def _lab(self, *words: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(LAB), *words], capture_output=True, text=True, env=self._environment, timeout=timeout, check=False
        )

    def up(self) -> None:
        """Start what does not run; what was just killed may take a moment to be gone."""
        deadline = time.monotonic() + 120
        while (done := self._lab("up")).returncode:
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.5)

    def sql(self, query: str) -> list[list[str]]:
        done = self._lab("sql", query)
        assert done.returncode == 0, done.stderr
        return [line.split("|") for line in done.stdout.splitlines()]

    def try_sql(self, query: str) -> bool:
        """Whether it was carried out: in a drill the server may be killed meanwhile."""
        return self._lab("sql", query).returncode == 0

    def kill_odoo(self) -> None:
        """SIGKILL."""
        self._signal(self._folder / "run" / "odoo.pid", signal.SIGKILL)
        (self._folder / "run" / "odoo.pid").unlink(missing_ok=True)

    def kill_postgres(self) -> None:
        """As in a crash: no transaction is ended, nothing is written down; it recovers from its log when it starts."""
        self._signal(self._pg_home / "postmaster.pid", signal.SIGQUIT)

    @staticmethod
    def _signal(file: Path, number: signal.Signals) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(file.read_text().splitlines()[0]), number)

    def close(self) -> None:
        """End both, and leave nothing behind."""
        self._lab("down")
        shutil.rmtree(self._pg_home, ignore_errors=True)
