"""Law: whatever a schema lets through, no event stops the streams. It counts, or it is parked; the next one is worked on.

Events are drawn on the wire, where numbers have no calendar and no sense, and share keys and ids, so that what is remembered of one
meets the next.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import catalogue, codec
from schemas.shapes import names_of
from streams import core
from streams.engine.batch import Batch
from streams.engine.topology import Processor, Topology
from streams.wiring import topology

TOPOLOGY: Topology = topology(core.Measures())
WIDTHS = {processor.input: 1 for processor in TOPOLOGY.processors}
AT = datetime(2026, 3, 30, tzinfo=UTC)
NOW, DAY = 1_774_828_800_000_000, 86_400_000_000
TODAY = NOW // DAY
INTS = st.sampled_from([0, 1, -1, 60, 2**31 - 1, -(2**31), TODAY, TODAY - 30])
LONGS = st.sampled_from([0, 1, -1, 60, 2**31, 2**63 - 1, -(2**63), NOW, NOW + 9 * DAY])
BYTES = st.sampled_from([b"", b"\x00", b"\x01", b"\x0f\x42\x40", b"\xff" * 4, b"\x7f" + b"\xff" * 6, b"\x7f" * 30])
TEXT = st.sampled_from(["", "x", "UTC", "Europe/Brussels", "EUR", "../../etc/passwd", "\x00", "é" * 300])


class Raw:
    """A Kafka record without headers."""

    def __init__(self, topic: str, value: bytes, offset: int) -> None:
        self._topic, self._value, self._offset = topic, value, offset

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes:
        return self._value

    def headers(self) -> None:
        return None


def wild(schema: Any, known: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """Values of a schema in plain form, with numbers that nobody meant."""
    known = names_of(schema) if known is None else known
    match known.get(schema, schema) if isinstance(schema, str) else schema:
        case list() as union:
            return st.one_of([wild(branch, known) for branch in union])
        case {"type": "record", "fields": fields}:
            return st.fixed_dictionaries({f["name"]: wild(f["type"], known) for f in fields})
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case {"type": "array", "items": items}:
            return st.lists(wild(items, known), max_size=3)
        case {"type": kind} | str(kind):
            plain = {"null": st.none(), "boolean": st.booleans(), "int": INTS, "long": LONGS, "bytes": BYTES}
            return plain.get(kind, TEXT)
    raise AssertionError(schema)


META = st.fixed_dictionaries(
    {
        "subject": st.sampled_from(["odoo:f:m:1", "odoo:f:m:2", "helpdesk:t:1", "odoo:", "", "odoo:f\x1f:m:1", "#alerts"]),
        "tenant": st.sampled_from(["f", "f", ""]),
        "version": st.sampled_from([1, 2, 3, NOW, 2**62, -1]),
        "occurred_at": st.sampled_from([NOW, NOW, -(2**62)]),
        "recorded_at": st.sampled_from([NOW, NOW + DAY, 2**62]),
        "event_type": st.sampled_from(["finance.dispute.opened.v1", "opened", ""]),
    }
)  # fmt: skip


def event(topic: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """An event of a source topic, mostly about the few entities that others are about, too."""

    def meet(drawn: tuple[dict[str, Any], dict[str, Any], bool, bool]) -> tuple[str, dict[str, Any]]:
        whole, meta, sane, same = drawn
        if sane:
            meta = {**meta, "version": 1 + meta["version"] % 3, "occurred_at": NOW, "recorded_at": NOW}
            meta["subject"] = f"odoo:f:{topic}:1"
        whole["meta"] |= meta
        for state in (whole.get("current"), whole.get("previous")):
            if state and same:
                state |= {name: 1 for name in state if name == "id" or name.endswith("_id")}
                if "weekday_minutes" in state:
                    state["weekday_minutes"] = [480] * 7
                if topic == "ops.clock.v1":
                    state["at"] = NOW + meta["version"] % 3 * DAY
        return topic, whole

    whole = wild(catalogue.load(TOPOLOGY.sources[topic]))
    mostly = st.sampled_from([True, True, True, False])
    return st.tuples(whole, META, mostly, mostly).map(meet)


def worked(states: dict[tuple[str, int], tuple[Processor, Any]], records: list[Raw]) -> list[tuple[str, Any]]:
    """What comes out of a batch and of the batches that its frames make."""
    out: list[tuple[str, Any]] = []
    while records:
        batch = Batch(TOPOLOGY, WIDTHS, states, AT)
        batch.take(records)
        outputs = batch.finish()
        out += [(topic, codec.decode(value).value) for topic, _, value, _ in outputs.events]
        records = [Raw(topic, value, n) for n, (topic, _, value) in enumerate(outputs.frames)]
    return out


def fresh() -> dict[tuple[str, int], tuple[Processor, Any]]:
    return {(processor.input, 0): (processor, processor.new()) for processor in TOPOLOGY.processors}


@settings(max_examples=150)
@given(st.lists(st.sampled_from(sorted(TOPOLOGY.sources)).flatmap(event), min_size=1, max_size=8), st.booleans())
def test_no_event_that_its_schema_allows_stops_the_streams(events, together):
    states = fresh()
    records = [Raw(topic, codec.encode_wire(TOPOLOGY.sources[topic], e), n) for n, (topic, e) in enumerate(events)]
    for batch in [records] if together else [[record] for record in records]:
        for topic, out in worked(states, batch):
            if topic == TOPOLOGY.dead_letters.name:
                assert out["current"]["reason"] in {"rejected", "breaks_schema"}
                assert out["current"]["remedy"]


def base(topic: str) -> dict[str, Any]:
    """An event that counts."""
    meta = {
        "event_id": "00000000-0000-5000-8000-000000000001", "event_type": f"{topic}.x.v1", "source": "odoo:f",
        "subject": "odoo:f:m:1", "occurred_at": NOW, "recorded_at": NOW, "version": 1,
        "correlation_id": "00000000-0000-5000-8000-000000000001", "causation_id": None, "mode": "poll", "tenant": "f",
        "company_id": 1,
    }  # fmt: skip
    return {"meta": meta, "current": {"partition": 0, "at": NOW, "period_seconds": 60}}


@pytest.mark.parametrize(
    ("meta", "current", "says"),
    [
        pytest.param({"occurred_at": 2**62}, {}, "beyond every calendar", id="it occurred in the year 148,000"),
        pytest.param({"recorded_at": -(2**62)}, {}, "beyond every calendar", id="it was recorded before the big bang"),
        pytest.param({"version": -1}, {}, "counts nothing", id="a version below nothing"),
        pytest.param({"version": 2**62}, {}, "counts nothing", id="two such versions add up to more than a long"),
        pytest.param({"subject": ""}, {}, "no key", id="about nothing"),
        pytest.param({"subject": "#alerts"}, {}, "no key", id="the name of a row that is no record"),
        pytest.param({"subject": "odoo:f\x1f:m:1"}, {}, "no key", id="the separator of the keys of rows"),
        pytest.param({"tenant": "f\x1fg"}, {}, "no key", id="the separator in the tenant"),
        pytest.param({}, {"at": 2**62}, "beyond every calendar", id="a tick of the year 148,000"),
    ],
)
def test_what_cannot_be_is_parked_with_what_is_wrong_with_it(meta, current, says):
    one = base("ops.clock")
    one["meta"] |= meta
    one["current"] |= current
    ((topic, letter),) = worked(fresh(), [Raw("ops.clock.v1", codec.encode_wire("burnline.ops.TickEvent", one), 1)])
    assert topic == TOPOLOGY.dead_letters.name
    assert says in letter["current"]["error"]
    assert letter["current"]["stage"] == "streams.route"


KINDS = {
    "time": ("burnline.internal.TimeEntry", {"day": 20_000, "minutes": 60, "billable": True, "approved": True, "cost": 0, "employee_id": 1, "currency": "EUR"}),
    "cost": ("burnline.internal.CostEntry", {"actual": 10, "committed": 0, "committed_minutes": 0, "currency": ""}),
    "milestone": ("burnline.internal.MilestoneEntry", {"reached": True, "share": 10}),
    "absence": ("burnline.internal.AbsenceEntry", {"first_day": 1, "last_day": 2, "minutes": 60, "calendar_id": None, "company_id": 1, "approved": True}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("processor", "first", "second"),
    [
        pytest.param("budget-burn", "time", "cost", id="time, then an expense"),
        pytest.param("budget-burn", "cost", "time", id="an expense, then time"),
        pytest.param("budget-burn", "cost", "milestone", id="an expense, then a milestone"),
        pytest.param("utilization", "absence", "time", id="an absence, then time"),
        pytest.param("utilization", "time", "absence", id="time, then an absence"),
    ],
)
def test_one_key_for_two_kinds_of_record_is_parked_and_the_first_one_stands(processor, first, second):
    common = {"subject": "odoo:f:m:1", "record": "odoo:f:m:9", "present": True, "event_id": "e", "recorded_at": NOW}
    versions = [(first, 1), (second, 2), (first, 3)]
    entries = [(KINDS[kind][0], {**common, "version": version, **KINDS[kind][1]}) for kind, version in versions]
    topic = f"internal.{processor}-input.v1"
    batch = Batch(TOPOLOGY, WIDTHS, fresh(), AT)
    batch.take([Raw(topic, codec.encode_wire("burnline.internal.Frame", {"entries": entries}), 0)])
    outputs = batch.finish()
    (letter,) = (codec.decode(value).value["current"] for name, _, value, _ in outputs.events)
    assert "two kinds of record" in letter["error"]
    assert letter["stage"] == f"streams.{processor}"
    assert codec.decode_wire(letter["value"]).value["version"] == 2
    ((_, (row,)),) = outputs.rows
    assert codec.decode_wire(row["value"]) == entries[2]
