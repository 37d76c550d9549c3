"""Law: whatever a schema allows comes back as it went, in both representations."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import catalogue, codec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def values(schema):  # noqa: C901, PLR0911, PLR0912  one case for each kind of Avro type
    """A strategy for the values of an Avro schema, in Python's own types."""
    match schema:
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            limit = 10**precision - 1
            return st.integers(-limit, limit).map(lambda n: Decimal(n).scaleb(-scale))
        case {"logicalType": "date"}:
            return st.dates(date(1900, 1, 1), date(2200, 1, 1))
        case {"logicalType": "timestamp-micros"}:
            return st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))  # noqa: DTZ001  hypothesis wants naive bounds
        case {"logicalType": "uuid"}:
            return st.uuids().map(str)
        case "string" | {"type": "string"}:
            return st.text(max_size=12)
        case "boolean":
            return st.booleans()
        case "int":
            return st.integers(-(2**31), 2**31 - 1)
        case "long":
            return st.integers(-(2**63), 2**63 - 1)
        case "bytes":
            return st.binary(max_size=12)
        case "null":
            return st.none()
        case list():
            return st.one_of([values(branch) for branch in schema])
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case {"type": "array", "items": items}:
            return st.lists(values(items), max_size=3)
        case {"type": "map", "values": inner}:
            return st.dictionaries(st.text(max_size=6), values(inner), max_size=3)
        case {"type": "record", "fields": fields}:
            return st.fixed_dictionaries({f["name"]: values(f["type"]) for f in fields})
        case str():
            return values(catalogue.load(schema))
    raise AssertionError(f"no strategy for {schema}")


EVENTS = sorted(name for name in catalogue.ids() if not name.startswith("burnline.internal."))


@pytest.mark.parametrize("name", EVENTS)
def test_round_trip(name):
    @given(values(catalogue.load(name)))
    def check(value):
        data = codec.encode(name, value)
        assert codec.decode(data) == (name, value)
        assert codec.encode_wire(name, codec.decode_wire(data).value) == data

    check()
