"""Invoices, and what their sources say of a dispute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streams.core import kinds
from streams.core.contract import Contribution
from streams.core.contracts import unscaled
from streams.core.days import local_day
from streams.core.routes.difference import DISPUTE_AGING, INVOICE, contribution_of, system_of
from streams.core.timeline import CLOSED


def invoice(event: Any) -> Iterator[Contribution]:
    """A client's invoice; of credit notes and bills nothing is disputed."""
    meta, now = event["meta"], event["current"]
    said = event["previous"] if now is None else now
    if said is None or said["move_type"] != "out_invoice":
        return
    fields = {
        "invoice_id": said["id"],
        "company_id": said["company_id"],
        "client_id": said["partner_id"],
        "posted": said["status"] == "posted",
        "due_day": said["due_date"],
        "residual": unscaled(said["residual"]),
        "company_residual": unscaled(said["company_residual"]),
        "currency": said["currency"],
        "company_currency": said["company_currency"],
        "timezone": said["timezone"],
        "credited": said["payment_status"] == "reversed",
        "from_day": local_day(meta["recorded_at"], said["timezone"]),
    }
    subject = f"{system_of(meta)}{INVOICE}:{said['id']}"
    yield contribution_of(DISPUTE_AGING, kinds.INVOICE, meta, subject, fields, present=now is not None)


def dispute(event: Any) -> Iterator[Contribution]:
    """A helpdesk and Odoo may both speak of one invoice: each source, and each of its records, is kept apart."""
    meta, now, before = event["meta"], event["current"], event["previous"]
    system, record = system_of(meta), f"{meta['subject']}#{meta['source']}"
    for said, former in ((now, before), (before, None)):
        if said is None or (said is before and now is not None and now["invoice_id"] == before["invoice_id"]):
            continue
        fields = {
            "invoice_id": said["invoice_id"],
            "status": said["status"],
            "opened_day": said["opened_on"],
            "status_day": status_day(
                said,
                former,
                local_day(meta["occurred_at"], "UTC"),
                meta["event_type"].rpartition(".")[0].rpartition(".")[2],
            ),
            "closed_day": said["closed_on"],
            "amount": None if said["amount"] is None else unscaled(said["amount"]),
            "client_id": said["client_id"],
        }
        subject = f"{system}{INVOICE}:{said['invoice_id']}"
        yield contribution_of(DISPUTE_AGING, kinds.DISPUTE, meta, subject, fields, present=said is now, record=record)


def status_day(said: Any, former: Any, occurred: int, verb: str) -> int:
    """The day a status began: the one the dispute names for opening and closing, else the day of the event.

    A helpdesk's events carry no former state, so that only the verb tells an opening from a return to open.
    """
    day: int = occurred
    if said["status"] in CLOSED:
        if said["closed_on"] is not None:
            day = said["closed_on"]
    elif former is None:
        opens = verb == "opened" and said["status"] == "open"
        day = said["opened_on"] if opens else max(said["opened_on"], occurred)
    elif former["status"] in CLOSED and former["closed_on"] is not None and said["opened_on"] > former["closed_on"]:
        day = said["opened_on"]
    return day
