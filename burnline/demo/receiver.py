"""Where the demo's signed webhooks arrive: a real HTTP receiver that verifies every signature, as n8n would.

Invariant: a delivery counts once, however often it is sent: receivers of Standard Webhooks drop a `webhook-id` they know.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


class Receiver:
    """A receiver on loopback. Use as a context manager; `url` is where to send to."""

    def __init__(self, secret: str) -> None:
        """Verify with this secret (`whsec_…`)."""
        self.accepted: set[str] = set()
        self.refused = 0
        receiver, verifier = self, Webhook(secret)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    verifier.verify(body, headers)
                except WebhookVerificationError:
                    receiver.refused += 1
                    status = 401
                else:
                    receiver.accepted.add(headers["webhook-id"])
                    status = 204
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay silent: the demo's view shows what arrives."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hooks"

    def __enter__(self) -> Self:
        """Receive from a thread."""
        threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop receiving."""
        self._server.shutdown()
        self._server.server_close()
