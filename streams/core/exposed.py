"""What one invoice contributes to its client's exposure, and to its company's receivables."""

from __future__ import annotations

from typing import Any, NamedTuple

from streams.core.contract import Contribution
from streams.core.monitors.facts import Fact, contribution

RECEIVABLES = "receivables"


class Exposed(NamedTuple):
    """What one invoice contributes to its client."""

    client: int
    company: int | None
    disputed: int
    receivable: int
    currency: str | None
    in_dispute: bool
    zone: str


def disputed_parts(
    key: str, version: int, entry: Any, before: Exposed | None, now: Exposed | None
) -> list[Contribution]:
    """What of an invoice is contested, as a fact for its company; and the end of it for the company that it left."""
    system = key[: key.index("account.move:")]
    said = {
        "record": f"{key}#disputed",
        "version": version,
        "event_id": entry["event_id"],
        "recorded_at": entry["recorded_at"],
    }
    out = []
    for exposed, present in ((before, False), (now, True)):
        if exposed is None or exposed.company is None:
            continue
        if not present and now is not None and now.company == exposed.company:
            continue
        if present and not exposed.in_dispute and (before is None or not before.in_dispute):
            continue
        numbers = {"disputed": exposed.disputed, "in_dispute": int(exposed.in_dispute), "unit_id": exposed.company}
        fact = Fact("disputed", numbers, {"currency": exposed.currency})
        out.append(contribution(RECEIVABLES, f"{system}res.company:{exposed.company}", fact, said, present=present))
    return out
