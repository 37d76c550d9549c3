"""What a subject of a monitor takes from its facts depends on what they say last, not on the way they came."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.core.monitors.facts import Watched

OWN = "UTC"
VERSIONS = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.integers(1, 3)),
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["first", "second"]),
        st.sampled_from([None, "Europe/Brussels", "Nowhere/Nothing"]),
        st.booleans(),
    ),
)


def fact(record: str, version: int, said: tuple[int, str, str | None, bool]) -> Any:
    recorded_at, event_id, zone, present = said
    return {
        "subject": "monitor~unit", "record": record, "version": version, "present": present, "event_id": event_id,
        "recorded_at": recorded_at, "kind": "part", "numbers": {}, "words": {} if zone is None else {"timezone": zone}, "lists": {},
    }  # fmt: skip


def zone(*facts: Any) -> str | None:
    subject = Watched("monitor~unit", OWN)
    for one in facts:
        subject.take(one)
    return subject.zone


@given(VERSIONS, st.data())
def test_days_end_in_the_zone_of_the_newest_fact_that_names_one_whatever_came_before_it(
    versions: dict[tuple[str, int], Any], data: st.DataObject
) -> None:
    facts = [fact(*key, said) for key, said in versions.items()]
    last = {one["record"]: one for one in sorted(facts, key=lambda one: one["version"])}
    telling = [one for one in last.values() if one["present"] and one["words"]]
    newest = max(telling, key=lambda one: (one["recorded_at"], one["event_id"], one["record"]), default=None)
    assert zone(*data.draw(st.permutations(facts))) == (OWN if newest is None else newest["words"]["timezone"])
    assert zone(*last.values()) == (OWN if newest is None else newest["words"]["timezone"])
