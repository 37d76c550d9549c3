"""Odoo's own webhooks: after a commit, inside the caller's request, a POST that may be lost.

One second of patience, no retry, no signature: a receiver takes them as hints and reads the record again. A deletion
carries the last values. Lost hints are counted, as nothing else can be done about them.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from infra.embedded_odoo.domains import Scope
from infra.embedded_odoo.fields import Field
from infra.embedded_odoo.models import MODELS
from infra.embedded_odoo.query import read
from infra.embedded_odoo.store import Change

HINTED = frozenset(
    {
        "res.partner",
        "hr.employee",
        "hr.leave",
        "resource.calendar.leaves",
        "project.project",
        "project.milestone",
        "account.analytic.line",
        "purchase.order",
        "hr.expense",
        "account.move",
        "account.payment",
    },
)
_PATIENCE = 1.0


def payloads(change: Change) -> list[dict[str, Any]]:
    """What the webhooks of a transaction say, taken inside it: many2one as ids, times with microseconds."""
    out = []
    for (model, record_id), action in change.touched.items():
        if model not in HINTED:
            continue
        if action == "unlink":
            values, kind = change.last[model, record_id], "on_unlink"
        else:
            fields = [f for f in MODELS[model].fields.values() if _told(f)]
            found = read(change.db, MODELS[model], [record_id], fields, Scope(), names=False, exact=True)
            if not found:
                continue
            values, kind = found[0], "on_create_or_write"
        out.append({"_action": f"{kind}(#{record_id})", "_id": record_id, "_model": model, **values})
    return out


def _told(field: Field) -> bool:
    return field.is_column or field.type == "many2many"


class Hints:
    """Posts to one URL, and the count of those sent and lost."""

    def __init__(self, url: str) -> None:
        """Post to this URL; an empty one posts nothing."""
        self.url = url
        self.sent = self.lost = 0
        self._lock = threading.Lock()

    def post(self, bodies: Sequence[dict[str, Any]]) -> None:
        """Post each body in turn; returns when the last was answered, refused or timed out."""
        for body in bodies:
            request = urllib.request.Request(  # noqa: S310  the URL is the operator's own setting
                self.url,
                json.dumps(body).encode(),
                {"Content-Type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310  as above
                    answered = True
            except (urllib.error.URLError, OSError):
                answered = False
            with self._lock:
                self.sent += answered
                self.lost += not answered
