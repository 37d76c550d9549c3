"""A batch, without Kafka: what comes of records, in which order, and what becomes of those that cannot be handled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import Fatal
from schemas import codec, successions
from streams.core.contract import Contribution, Row, Step
from streams.engine.batch import Batch, Outputs
from streams.engine.failures import DefectError
from streams.engine.frames import FRAME
from streams.engine.topology import Partition, Processor, Topology, partition_of
from tests.support import toy

TOPOLOGY = toy.topology("t")
FIRST, SECOND = TOPOLOGY.processors
WIDTHS = {"t.first-input": 6, "t.second-input": 6}
AT = datetime(2026, 3, 30, tzinfo=UTC)


@dataclass
class Fake:
    """A Kafka message, as far as a batch looks at it."""

    where: tuple[str, int, int]
    content: bytes | None
    name: bytes | None = None

    def topic(self) -> str:
        return self.where[0]

    def partition(self) -> int:
        return self.where[1]

    def offset(self) -> int:
        return self.where[2]

    def key(self) -> bytes | None:
        return self.name

    def value(self) -> bytes | None:
        return self.content

    def headers(self) -> Any:
        return [("webhook-signature", b"v1,x"), ("ce_id", b"7")]


def source(offset: int, subject: str = "s", record: str | None = None, *, day: int = 1, partition: int = 0) -> Fake:
    entry = toy.entry(subject, record or f"r{offset}", day=day)
    return Fake(("t.source", partition, offset), codec.encode_wire(toy.ENTRY, entry), b"key")


def frame(offset: int, *entries: dict[str, Any], processor: Processor = FIRST) -> Fake:
    pairs = [(toy.ENTRY, entry) for entry in entries]
    return Fake((processor.input, 0, offset), codec.encode_wire(FRAME, {"entries": pairs}))


def run(
    *records: Fake,
    state: toy.State | None = None,
    topology: Topology = TOPOLOGY,
    near: frozenset[Partition] = frozenset(),
) -> Outputs:
    states = {(p.input, n): (p, state or toy.State()) for p in topology.processors for n in range(6)}
    batch = Batch(topology, WIDTHS, states, AT, near)
    batch.take(records)
    return batch.finish()


def events(outputs: Outputs, topic: str) -> list[Any]:
    return [codec.decode(value).value for name, _, value, _ in outputs.events if name == topic]


def test_offsets_are_those_after_the_last_record_of_each_partition() -> None:
    outputs = run(source(4), source(9), source(2, partition=3))
    assert outputs.offsets == {("t.source", 0): 10, ("t.source", 3): 3}


def test_an_entry_becomes_a_row_an_alert_a_measure_and_a_frame_for_the_next() -> None:
    outputs = run(frame(0, toy.entry("s", "r1"), toy.entry("s", "r2")))
    assert [(place, [row["key"] for row in rows]) for place, rows in outputs.rows] == [
        (("t.first-state", 0), [b"s\x1fr1", b"s\x1fr2"])
    ]
    assert [event["meta"]["subject"] for event in events(outputs, "t.alerts")] == ["r1", "r2"]
    assert [event["current"]["period_seconds"] for event in events(outputs, "t.first-measure")] == [2]
    assert [topic for topic, _, _ in outputs.frames] == ["t.second-input"]
    assert outputs.entries == 2


def test_rows_of_one_record_are_written_once_as_they_were_last() -> None:
    outputs = run(frame(0, *(toy.entry("s", "r", version=n) for n in (1, 2, 3))))
    ((_, rows),) = outputs.rows
    assert [codec.decode_wire(row["value"]).value["version"] for row in rows] == [3]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.data())
def test_rows_and_alerts_do_not_depend_on_how_records_were_cut_into_batches(versions: list[int], data: Any) -> None:
    cut = data.draw(st.integers(0, len(versions)))
    records = [frame(n, toy.entry("s", f"r{v % 2}", version=v)) for n, v in enumerate(versions)]

    def remembered(*batches: list[Fake]) -> tuple[dict[bytes, bytes], list[Any]]:
        state, rows, alerts = toy.State(), {}, []
        for batch in batches:
            outputs = run(*batch, state=state)
            rows.update({row["key"]: row["value"] for _, several in outputs.rows for row in several})
            alerts += events(outputs, "t.alerts")
        return rows, alerts

    assert remembered(records) == remembered(records[:cut], records[cut:])


@pytest.mark.parametrize(
    ("record", "stage", "error"),
    [
        pytest.param(Fake(("t.source", 0, 7), b"{}", b"key"), "streams.decode", "too short", id="no Avro at all"),
        pytest.param(
            Fake(("t.source", 0, 7), codec.encode_wire(toy.ENTRY, toy.entry("s", "r"))[:-3], b"key"),
            "streams.decode",
            "cannot be read",
            id="a record cut short",
        ),
        pytest.param(
            Fake(("t.source", 0, 7), codec.encode_wire(toy.TICK, {"at": 1}), b"key"),
            "streams.decode",
            "stands on t.source",
            id="a record of another topic",
        ),
        pytest.param(source(7, day=toy.POISONED + 1), "streams.route", "leads nowhere", id="the route refuses it"),
    ],
)
def test_a_record_that_cannot_be_handled_is_parked_whole_and_the_batch_goes_on(
    record: Fake, stage: str, error: str
) -> None:
    outputs = run(source(6), record, source(8))
    (letter,) = events(outputs, "t.dead-letters")
    current = letter["current"]
    assert (current["topic"], current["partition"], current["offset"]) == ("t.source", 0, 7)
    assert (current["key"], current["value"]) == (record.name, record.content)
    assert current["stage"] == stage
    assert error in current["error"]
    assert current["headers"] == {"ce_id": b"7"}, "a signature is a secret"
    assert outputs.offsets == {("t.source", 0): 9}
    assert outputs.dead_letters == 1
    (travelled,) = outputs.frames
    assert len(codec.decode_wire(travelled[2]).value["entries"]) == 2


def test_an_entry_that_a_processor_refuses_is_parked_alone() -> None:
    outputs = run(frame(3, toy.entry("s", "good"), toy.entry("s", "bad", day=toy.POISONED), toy.entry("s", "fine")))
    (letter,) = events(outputs, "t.dead-letters")
    assert letter["current"]["key"] == b"s\x1fbad"
    assert codec.decode_wire(letter["current"]["value"]).value["record"] == "bad"
    assert [event["meta"]["subject"] for event in events(outputs, "t.alerts")] == ["good", "fine"]


def test_a_tombstone_moves_nothing_but_the_offset() -> None:
    outputs = run(Fake(("t.source", 0, 5), None, b"key"))
    assert outputs == Outputs(offsets={("t.source", 0): 6})


def _broken(step: Step) -> Topology:
    def refuse(_state: Any, _kind: str, _entry: Any) -> Step:
        return step

    return replace(TOPOLOGY, processors=(replace(FIRST, step=refuse), SECOND))


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Step([Row("s", "r", toy.ENTRY, {"subject": 1})], [], []), id="a row"),
        pytest.param(Step([], [{"meta": toy.event("s", 1)["meta"], "current": None}], []), id="an alert"),
        pytest.param(Step([], [], [Contribution("nobody", "s", toy.ENTRY, {})]), id="a contribution"),
    ],
)
def test_an_output_that_is_broken_is_a_defect_and_stops_the_worker(step: Step) -> None:
    with pytest.raises(Fatal):
        run(frame(0, toy.entry("s", "r")), topology=_broken(step))


def test_a_record_on_which_our_own_code_breaks_is_named_with_what_broke() -> None:
    with pytest.raises(DefectError, match=r"record 7 of t\.first-input, partition 0") as broken:
        run(frame(6, toy.entry("s", "r")), frame(7, toy.entry("s", "q", day=toy.BROKEN)))
    assert (broken.value.place, broken.value.offset) == (("t.first-input", 0), 7)
    assert isinstance(broken.value.__cause__, ZeroDivisionError)


NEAR = frozenset((p.input, n) for p in TOPOLOGY.processors for n in range(6))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(1, 3)), min_size=1, max_size=12))
def test_what_is_near_is_stepped_at_once_with_the_same_outcome_as_through_frames(
    changes: list[tuple[str, str, int]],
) -> None:
    records = [
        Fake(("t.source", 0, n), codec.encode_wire(toy.ENTRY, toy.entry(subject, record, version=version)), b"key")
        for n, (subject, record, version) in enumerate(changes)
    ]
    short = run(*records, state=toy.State(), near=NEAR)
    assert short.frames == []
    state = toy.State()
    long, hops = run(*records, state=state), []
    while long.frames:
        long = run(*(Fake((topic, p, n), value) for n, (topic, p, value) in enumerate(long.frames)), state=state)
        hops.append(long)
    assert rows_of(short) == {place: rows for hop in hops for place, rows in rows_of(hop).items()}
    assert sorted(m["subject"] for m in metas(short)) == sorted(m["subject"] for hop in hops for m in metas(hop))


def rows_of(outputs: Outputs) -> dict[Partition, dict[bytes, bytes]]:
    return {place: {row["key"]: row["value"] for row in rows} for place, rows in outputs.rows}


def metas(outputs: Outputs) -> list[Any]:
    return [codec.decode(value).value["meta"] for name, _, value, _ in outputs.events if name == "t.alerts"]


def test_what_is_near_moves_its_state_without_a_record_of_its_own() -> None:
    home = ("t.first-input", partition_of("s", 6))
    outputs = run(source(4), near=frozenset({home}))
    assert outputs.stepped == {home}
    assert outputs.offsets == {("t.source", 0): 5}
    assert [topic for topic, _, _ in outputs.frames] == ["t.second-input"], (
        "its contribution to one that is not near travels"
    )


@pytest.mark.parametrize(
    ("broken", "stage"),
    [
        pytest.param({"day": toy.POISONED}, "streams.first", id="the processor refuses it"),
        pytest.param({"record": "x" * 1_000_000}, "streams.frame", id="it would not fit a frame either"),
    ],
)
def test_a_contribution_to_what_is_near_that_fails_is_parked_alone(broken: dict[str, Any], stage: str) -> None:
    entry = toy.entry("s", "bad") | broken
    bad = Fake(("t.source", 0, 7), codec.encode_wire(toy.ENTRY, entry), b"key")
    outputs = run(source(6), bad, source(8), near=NEAR)
    (letter,) = events(outputs, "t.dead-letters")
    assert letter["current"]["stage"] == stage
    assert [event["meta"]["subject"] for event in events(outputs, "t.alerts")] == ["r6", "r8"]


def test_what_replaces_a_topic_is_told_on_that_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    older = replace(TOPOLOGY.alerts, name="t.older-alerts")
    told = successions.Succession(older, TOPOLOGY.alerts, dict, lambda event: {**event, "meta": dict(event["meta"])})
    monkeypatch.setattr(successions, "SUCCESSIONS", (told,))
    outputs = run(frame(0, toy.entry("s", "r1"), toy.entry("s", "r2")))
    assert events(outputs, older.name) == events(outputs, "t.alerts") != []
    assert {key for topic, key, _, _ in outputs.events if topic == older.name} == {b"r1", b"r2"}
