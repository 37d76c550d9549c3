"""Frames carry contributions in order, to the right partitions, and let nothing that fits none hold up the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import Fatal
from schemas import codec
from streams.core.contract import EVERYBODY, Contribution
from streams.engine.frames import ENTRIES, FRAME, Frames, pack
from streams.engine.topology import partition_of
from tests.support import toy

TOPOLOGY = toy.topology("t")
WIDTHS = {"t.first-input": 6, "t.second-input": 6}


def contribution(subject: str, record: str = "r", processor: str = "first") -> Contribution:
    return Contribution(processor, subject, toy.ENTRY, toy.entry(subject, record))


def frames(*contributions: Contribution, only: int | None = None) -> list[tuple[str, int, list[str]]]:
    collected = Frames(TOPOLOGY.processors, WIDTHS)
    for one in contributions:
        for place in collected.places(one, only):
            collected.add(place, one, "origin")
    packed = collected.packed()
    assert packed.refused == []
    return [(topic, partition, records(value)) for topic, partition, value in packed.frames]


def records(value: bytes) -> list[str]:
    name, content = codec.decode_wire(value)
    assert name == FRAME
    return [entry["record"] for _, entry in content["entries"]]


@given(st.lists(st.tuples(st.text("abc", min_size=1, max_size=3), st.integers(0, 999).map(str)), max_size=60))
def test_every_contribution_travels_once_in_order_to_its_subjects_partition(pairs: list[tuple[str, str]]) -> None:
    found: dict[int, list[str]] = {p: names for _, p, names in frames(*(contribution(*pair) for pair in pairs))}
    wanted: dict[int, list[str]] = {}
    for subject, record in pairs:
        wanted.setdefault(partition_of(subject, 6), []).append(record)
    assert found == wanted


@pytest.mark.parametrize(
    ("only", "partitions"),
    [
        pytest.param(None, [0, 1, 2, 3, 4, 5], id="a public holiday concerns every partition"),
        pytest.param(4, [4], id="the clock writes to each partition itself, so its tick stays in its own"),
    ],
)
def test_what_concerns_everybody(only: int | None, partitions: list[int]) -> None:
    found = frames(contribution(EVERYBODY), only=only)
    assert [partition for _, partition, _ in found] == partitions


def test_a_frame_has_a_limit_of_entries() -> None:
    found = frames(*(contribution("s", str(n)) for n in range(ENTRIES + 1)))
    assert [len(names) for _, _, names in found] == [ENTRIES, 1]
    assert [name for _, _, names in found for name in names] == [str(n) for n in range(ENTRIES + 1)]


def test_a_frame_that_would_be_too_large_is_halved_in_order() -> None:
    pairs = [(toy.ENTRY, toy.entry("s", f"{n}" * 50)) for n in range(9)]
    values, refused = pack(pairs, limit=500)
    assert [name for value in values for name in records(value)] == [entry["record"] for _, entry in pairs]
    assert all(len(value) <= 500 for value in values)
    assert refused == []


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"minutes": 2**70}, id="a number beyond its type"),
        pytest.param({"record": "x" * 1_000_000}, id="larger than a record may be"),
    ],
)
def test_what_fits_no_frame_is_refused_alone_with_its_origin(broken: dict[str, Any]) -> None:
    collected = Frames(TOPOLOGY.processors, WIDTHS)
    for name in ("a", "b", "c"):
        entry = toy.entry("s", name) | (broken if name == "b" else {})
        collected.add(("t.first-input", 0), Contribution("first", "s", toy.ENTRY, entry), f"record of {name}")
    packed = collected.packed()
    assert [name for _, _, value in packed.frames for name in records(value)] == ["a", "c"]
    assert [origin for origin, _ in packed.refused] == ["record of b"]


def test_a_contribution_to_nobody_is_a_defect() -> None:
    with pytest.raises(Fatal, match="no such processor"):
        frames(contribution("s", processor="third"))
