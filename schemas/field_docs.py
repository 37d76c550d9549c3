"""What the doc and the attributes of a field say, in a form that programs can read, too.

A field's doc has up to four parts, in this order:

    <What it means.> Unit: <unit>. Source: <where it comes from>. Never null.
    <What it means.> Source: <where it comes from>. Null: <why it may be missing>.

`Unit` is left out where a value has none. An Odoo field stands in the source in backticks, with its model:
`account.move.amount_total`; so does a field of another contract: `burnline.finance.Invoice.total`.
A list or map may say when it is empty: "Never null; empty where none was given."

A field that may be null is null, too, where the Odoo user of the capture may not read it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple


class SystemOfRecord(StrEnum):
    """The system whose word counts for a field: whoever finds it wrong mends it there.

    `odoo-or-webhook`: the one that the event's `meta.source` names. `webhook`: the sender of a delivery.
    """

    ODOO = "odoo"
    WEBHOOK = "webhook"
    ODOO_OR_WEBHOOK = "odoo-or-webhook"
    BURNLINE = "burnline"


class FieldDoc(NamedTuple):
    """The parts of a doc. `unit` and `source` are None where the doc has no such part.

    `null` is why the field may be missing, None where the doc says that it never is, and empty where it says neither.
    `empty` is when a list or map is empty, or None.
    """

    meaning: str
    unit: str | None
    source: str | None
    null: str | None
    empty: str | None


_NAME = re.compile(r"`([a-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+)`")


def field_doc(doc: str) -> FieldDoc:
    """The parts of a field's doc. A doc of another form is all meaning."""
    rest, null = _cut(doc, " Null: ")
    rest, never = _cut(rest, " Never null")
    rest, source = _cut(rest, " Source: ")
    meaning, unit = _cut(rest, " Unit: ")
    if never is not None:
        return FieldDoc(meaning, unit, source, None, _cut(never, "; ")[1])
    return FieldDoc(meaning, unit, source, null or "", None)


def _cut(text: str, label: str) -> tuple[str, str | None]:
    head, found, tail = text.partition(label)
    return head, tail.removesuffix(".") if found else None


def named_sources(source: str) -> list[str]:
    """What a source names in backticks, in the order of the text.

    That is `model` or `model.field` of Odoo, or `burnline.<domain>.<Record>.<field>` of another contract.
    """
    return _NAME.findall(source)
