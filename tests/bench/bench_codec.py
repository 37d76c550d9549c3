"""How fast the codec is beside fastavro on the same bytes, with the same logical types, in the same process.

    python -m tests.bench.bench_codec [--rounds N] [--json]

Per record: microseconds to decode and to encode, in Python's own types and on the wire, ours and bare `schemaless_reader` and
`schemaless_writer`; and their ratio, which should stay below 1.3. The best of alternating rounds counts.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import random
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import fastavro

from schemas import catalogue, codec
from tests.bench.bench_streams import event, timesheet
from tests.support import avro

PER_ROUND = 500
MONEY = Decimal("0.0001")


def invoice() -> dict[str, Any]:
    amounts = dict.fromkeys(("total", "residual", "company_total", "company_residual"), Decimal("12500.5000"))
    return {
        "id": 4711,
        "number": "INV/2026/00417",
        "partner_id": 88,
        "move_type": "out_invoice",
        "status": "posted",
        "payment_status": "partial",
        "invoice_date": date(2026, 3, 1),
        "due_date": date(2026, 3, 31),
        "currency": "EUR",
        "company_currency": "EUR",
        "reversed_id": None,
        "responsible_id": 12,
        "company_id": 1,
        "timezone": "Europe/Brussels",
        **amounts,
    }


def records() -> dict[str, tuple[str, dict[str, Any]]]:
    """What is measured: name, record, and an event with all of its record's fields."""
    logged = event("delivery.timesheet.v1", "logged", "account.analytic.line", 532, timesheet(532, random.Random(1)))  # noqa: S311  the same at each run
    logged["current"]["cost"] = logged["current"]["cost"].quantize(MONEY)
    corrected = copy.deepcopy(logged) | {"previous": copy.deepcopy(logged["current"]), "changed": ["minutes", "cost"]}
    posted = event("finance.invoice.v1", "posted", "account.move", 4711, invoice())
    measured = {"meta": logged["meta"], "current": _example("burnline.measure.Utilization")}
    return {
        "timesheet_logged": ("burnline.delivery.TimesheetEvent", logged),
        "timesheet_corrected": ("burnline.delivery.TimesheetEvent", corrected),
        "invoice_posted": ("burnline.finance.InvoiceEvent", posted),
        "utilization_measured": ("burnline.measure.UtilizationEvent", measured),
    }


def _example(name: str) -> dict[str, Any]:
    """A record with every field filled, and small numbers, as measures have them."""
    found = {}
    for field in catalogue.load(name)["fields"]:
        value = avro.corner(field["type"], "least")
        branches = field["type"] if isinstance(field["type"], list) else [field["type"]]
        found[field["name"]] = 480 if value in (-(2**31), -(2**63)) else value
        if any(isinstance(branch, dict) and branch.get("logicalType") == "decimal" for branch in branches):
            found[field["name"]] = Decimal("0.812500000")
    return found


def best(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Microseconds of each call: the best round of each, in turns, so that they meet the same machine."""
    found = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(PER_ROUND):
                call()
            found[name] = min(found[name], (time.perf_counter() - began) / PER_ROUND)
    return {name: round(seconds * 1e6, 2) for name, seconds in found.items()}


def read(body: bytes, schema: Any) -> Callable[[], Any]:
    return lambda: fastavro.schemaless_reader(io.BytesIO(body), schema, None)


def written(schema: Any, value: Any) -> Callable[[], bytes]:
    def write() -> bytes:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, value)
        return out.getvalue()

    return write


def measure(name: str, value: Any, rounds: int) -> dict[str, Any]:
    data = codec.encode(name, value)
    plain = codec.decode_wire(data).value
    typed_schema, plain_schema = avro.parsed_record(name), avro.parsed_record(name, plain=True)
    assert written(typed_schema, value)() == data[5:]
    assert read(data[5:], typed_schema)() == codec.decode(data).value == value
    calls = {
        "decode": lambda: codec.decode(data),
        "fastavro_decode": read(data[5:], typed_schema),
        "decode_wire": lambda: codec.decode_wire(data),
        "fastavro_decode_wire": read(data[5:], plain_schema),
        "encode": lambda: codec.encode(name, value),
        "fastavro_encode": written(typed_schema, value),
        "encode_wire": lambda: codec.encode_wire(name, plain),
        "fastavro_encode_wire": written(plain_schema, plain),
    }
    micros = best(calls, rounds)
    ratios = {
        f"{what}_ratio": round(micros[what] / micros[f"fastavro_{what}"], 2)
        for what in calls
        if f"fastavro_{what}" in calls
    }
    return {"bytes": len(data), **{f"{what}_us": one for what, one in micros.items()}, **ratios}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {what: measure(name, value, options.rounds) for what, (name, value) in records().items()}
    print(json.dumps(found) if options.json else json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
