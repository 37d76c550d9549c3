"""A helpdesk that tells of disputes by signed webhook, as n8n would: the other way in.

It contests, and later settles, a few invoices of the simulated firm that Odoo itself does not call contested, and keeps its own book of
them, which is one more source to the proof. The book outlives the demo, since the disputes do. A real firm's invoices are left alone.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import structlog
from standardwebhooks.webhooks import Webhook

log = structlog.get_logger()
EVERY = 4.0
OPEN_AT_MOST = 3
CANDIDATE = """
select id, amount_residual from account_move where move_type = 'out_invoice' and state = 'posted' and amount_residual > 10
and payment_state <> 'blocked' and coalesce(x_dispute_state, 'none') = 'none' and x_dispute_date is null order by id limit 1 offset ?"""


class Helpdesk(threading.Thread):
    """Posts a signed delivery every few seconds until stopped; a delivery that is not accepted is not in the book."""

    def __init__(self, url: str, secret: str, *, firm: Path, book: Path) -> None:
        """Post to this URL, signed with this secret, about invoices of the firm's database."""
        super().__init__(name="helpdesk", daemon=True)
        self._url, self._signer, self._firm, self._book_file = url, Webhook(secret), firm, book
        self._done = threading.Event()
        self.book: dict[str, dict[str, Any]] = json.loads(book.read_text(encoding="utf-8")) if book.is_file() else {}
        self.accepted = 0

    def run(self) -> None:
        """Post, and go on when one is not accepted."""
        with httpx.Client(timeout=5) as client:
            while not self._done.wait(EVERY):
                message = self._next()
                if message is not None and self._post(client, message):
                    self._note(message)

    def stop(self) -> None:
        """Post no more."""
        self._done.set()
        self.join()

    def _next(self) -> dict[str, Any] | None:
        """Contest one more invoice, or settle the oldest dispute when enough are open."""
        now = datetime.now(UTC)
        still_open = [invoice for invoice, entry in self.book.items() if entry["status"] == "open"]
        if len(still_open) >= OPEN_AT_MOST:
            oldest = self.book[still_open[0]]
            data = {"invoice_id": int(still_open[0]), "opened_on": oldest["opened_on"], "reason": "credit agreed"}
            return {"type": "dispute.resolved", "timestamp": now.isoformat(), "data": data}
        with closing(sqlite3.connect(f"file:{self._firm}?mode=ro", uri=True, timeout=10)) as source:
            found = source.execute(CANDIDATE, (len(self.book),)).fetchone()
        if found is None or str(found[0]) in self.book:
            return None
        data = {
            "invoice_id": found[0],
            "amount": f"{found[1] / 2:.2f}",
            "currency": "EUR",
            "reason": "hours not agreed",
        }
        return {"type": "dispute.opened", "timestamp": now.isoformat(), "data": data}

    def _post(self, client: httpx.Client, message: dict[str, Any]) -> bool:
        delivery, now, body = str(uuid.uuid4()), datetime.now(UTC), json.dumps(message)
        headers = {
            "webhook-id": delivery,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(delivery, now, body),
            "content-type": "application/json",
        }
        try:
            answer = client.post(self._url, content=body, headers=headers)
        except httpx.TransportError as error:
            log.warning("helpdesk_not_heard", cause=str(error))
            return False
        self.accepted += answer.is_success
        return answer.is_success

    def _note(self, message: dict[str, Any]) -> None:
        data = message["data"]
        entry = self.book.setdefault(
            str(data["invoice_id"]), {"opened_on": message["timestamp"][:10], "amount": data.get("amount")}
        )
        entry["status"] = "open" if message["type"] == "dispute.opened" else "resolved"
        self._book_file.write_text(json.dumps(self.book), encoding="utf-8")
