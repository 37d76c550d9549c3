"""The server inside this process, for tests and tools."""

import secrets
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.embedded_odoo.database import Database, Transaction
from infra.embedded_odoo.hints import Hints
from infra.embedded_odoo.rpc import Login, Rpc
from infra.embedded_odoo.seed import seed
from infra.embedded_odoo.server import Controls, Server
from infra.embedded_odoo.store import Store
from infra.embedded_odoo.values import stamp

DB, USER, PASSWORD = "firm", "admin", "admin"


class EmbeddedOdoo:
    """An Odoo-shaped server over one SQLite file, between `start` and `stop`, or as a context manager.

    `url`, `db`, `user` and `password` are what a client needs; JSON-2 takes `api_key`. Stopping loses nothing; the same file goes on later.
    """

    def __init__(
        self,
        data_file: Path,
        port: int = 0,
        *,
        db: str = DB,
        user: str = USER,
        password: str = PASSWORD,
        webhook: str = "",
        session_seconds: float = 7 * 86400.0,
    ) -> None:
        """Open the file and bind the port; Fatal when either cannot be used."""
        self.db, self.user, self.password = db, user, password
        self.api_key = secrets.token_hex(20)
        self.store = Store(data_file)
        try:
            seed(self.store, stamp(datetime.now(UTC)))
            self.hints = Hints(webhook)
            self.database = Database(self.store, self.hints)
            self._server = Server(port, Rpc(self.database, Login(db, user, password, self.api_key), session_seconds))
        except BaseException:
            self.store.close()
            raise
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="embedded-odoo")
        self.url = self._server.url

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close the file."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.store.close()

    def control(self, controls: Controls) -> None:
        """Answer these requests, too."""
        self._server.controls = controls

    def transaction(self) -> Transaction:
        """A transaction that stamps now and commits when its `with` block ends."""
        return self.database.transaction()

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, with its parameters, on what is committed now: the ground truth of a test."""
        db = sqlite3.connect(self.store.path)
        try:
            return db.execute(query, values).fetchall()
        finally:
            db.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
