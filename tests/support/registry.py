"""A stand-in for a schema registry: the one request that a decoder has for it, answered from the released files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from schemas.released import by_id


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        folder, _, number = self.path.rpartition("/")
        release = by_id(int(number))
        assert folder == "/schemas/ids"
        assert release is not None
        body = json.dumps({"schema": json.dumps(release.schema)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def registry() -> Iterator[str]:
    """The address at which it answers, until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
