"""A record written by hand is the record that was shown, and what is wrong in it is told by its field."""

from __future__ import annotations

import json

import pytest

from burnline.commands.output import plain
from burnline.docs.model import public_topics
from burnline.docs.samples import encoded, sample
from consumers.core.edited import from_json
from infra.errors import PoisonMessage
from schemas import codec
from schemas.topics import topic

INVOICES = topic("finance.invoice.v1")


@pytest.mark.parametrize("contract", public_topics(), ids=lambda contract: contract.name)
def test_a_record_as_it_is_shown_is_read_back_as_it_was(contract):
    text = json.dumps(codec.decode(encoded(contract)).value, default=plain)
    assert codec.decode(from_json(contract.record, text)) == codec.decode(encoded(contract))


def changed(**fields):
    event = json.loads(json.dumps(sample(INVOICES), default=plain))
    event["current"] |= fields
    return json.dumps(event)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "is no JSON", id="no JSON"),
        pytest.param("[]", "burnline.finance.InvoiceEvent", id="no object"),
        pytest.param(changed(invoice_date="30.3.2026"), "current.invoice_date", id="a day that is none"),
        pytest.param(changed(total="1,5"), "current.total", id="a comma for a point"),
        pytest.param(changed(status="sent"), "status", id="a symbol of nowhere"),
        pytest.param(changed(number="***"), "current.number is masked", id="what was shown without --personal"),
        pytest.param(
            '{"record": "it cannot be read: …", "decisions": []}',
            "InvoiceEvent",
            id="a letter whose record nobody can read",
        ),
    ],
)
def test_what_is_no_record_is_told(text, said):
    with pytest.raises(PoisonMessage, match=said):
        from_json(INVOICES.record, text)


def test_a_record_may_be_edited_within_all_that_is_shown_of_its_letter():
    letter = {"id": "3f2a91c0", "status": "parked", "record": json.loads(changed(total="7.5")), "decisions": []}
    assert from_json(INVOICES.record, json.dumps(letter)) == from_json(INVOICES.record, changed(total="7.5"))
