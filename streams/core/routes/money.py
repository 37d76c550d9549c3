"""What a project costs and earns, and the tier of a client."""

from __future__ import annotations

from typing import Any

from streams.core.contracts import line_worth, unscaled
from streams.core.ratios import half_even
from streams.core.routes.difference import CLIENT, PROJECT, Counted, Fields, iso

_SPENT = frozenset({"approved", "posted", "paid"})
_BILLION = 10**9
_LONGEST_NAME = 100
_LONGEST = 1 << 40
"""Minutes: orders beyond two million years are as good as that."""


def expense(expense: Any, system: str) -> Counted:
    """Each project's part. Shares of several accounts of one project are added before they are rounded."""
    if expense["status"] not in _SPENT:
        return {}
    shares: dict[int, int] = {}
    for part in expense["distribution"]:
        project = part["project_id"]
        if project is not None:
            shares[project] = shares.get(project, 0) + unscaled(part["share"])
    amount, currency = unscaled(expense["amount"]), expense["currency"]
    return {
        f"{system}{PROJECT}:{project}": _cost(currency, half_even(amount * share, _BILLION))
        for project, share in shares.items()
    }


def purchase(order: Any, system: str) -> Counted:
    """What is billed is actual; of the rest of a confirmed order is committed what is still to be billed."""
    project = order["project_id"]
    if project is None or order["status"] != "confirmed":
        return {}
    billed = unscaled(order["billed_amount"])
    open_amount = 0 if order["invoiced"] else max(0, unscaled(order["company_amount"]) - billed)
    ordered, billed_time = order["ordered_minutes"] or 0, order["billed_minutes"] or 0
    open_time = 0 if order["invoiced"] else min(max(0, ordered - billed_time), _LONGEST)
    return {f"{system}{PROJECT}:{project}": _cost(order["company_currency"], billed, open_amount, open_time)}


def _cost(currency: str | None, actual: int, committed: int = 0, committed_minutes: int = 0) -> Fields:
    fields = {"actual": actual, "committed": committed, "committed_minutes": committed_minutes}
    return {**fields, "currency": iso(currency)}


def bill(bill: Any, system: str) -> Counted:
    """What a vendor's posted bill costs each project, beyond what bills its purchase orders, which tell that themselves."""
    if bill["move_type"] not in {"in_invoice", "in_refund"} or bill["status"] != "posted":
        return {}
    sign = -1 if bill["move_type"] == "in_refund" else 1
    sums: dict[int, int] = {}
    for share in bill["shares"]:
        project, amount = share["project_id"], unscaled(share["amount"]) - unscaled(share["ordered_amount"])
        if project is not None and amount:
            sums[project] = sums.get(project, 0) + sign * amount
    currency = bill["company_currency"]
    return {f"{system}{PROJECT}:{project}": _cost(currency, amount) for project, amount in sums.items()}


def revenue(contract: Any, system: str) -> Counted:
    """What a confirmed order is worth to each of its projects, in the company's currency at the order's rate."""
    if contract["status"] != "confirmed":
        return {}
    worth = line_worth(contract)
    return {
        f"{system}{PROJECT}:{project}": {
            "kind": "revenue",
            "numbers": {} if amount is None else {"amount": amount},
            "words": {} if (currency := contract["company_currency"]) is None else {"currency": currency},
            "lists": {},
        }
        for project, amount in worth.items()
    }


def client(client: Any, system: str) -> Counted:
    """The tier of a client, which its limit and the service levels of its disputes follow."""
    if client["tier"] is None:
        return {}
    words = {"tier": client["tier"][:_LONGEST_NAME]}
    return {f"{system}{CLIENT}:{client['id']}": {"kind": "tier", "numbers": {}, "words": words, "lists": {}}}
