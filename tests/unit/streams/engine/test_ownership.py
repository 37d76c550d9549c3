"""Who owns what through a rebalance, and which memory may be trusted after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from streams.engine.ownership import Ownership, Position
from tests.support import toy

FIRST, SECOND = toy.topology("t").processors
A, B, SOURCE = ("t.first-input", 0), ("t.first-input", 1), ("t.source", 0)


def owner() -> Ownership:
    own = Ownership({FIRST.input: FIRST, SECOND.input: SECOND})
    own.assign([A, B, SOURCE])
    own.restored(A, "state of A", Position(5))
    return own


def commit(
    own: Ownership, offsets: dict[Any, int], stepped: Sequence[Any] = (), mark: str = "m", **sent: dict[Any, int]
) -> dict[Any, Position]:
    positions = own.moved(offsets, stepped, mark)
    own.committed(positions, sent.get("sent", {}))
    return positions


def test_an_assignment_is_complete_when_every_state_is_ready() -> None:
    own = owner()
    assert not own.complete
    own.restored(B, "state of B", Position(-1001))
    assert own.complete
    assert (own.inputs(), own.sources()) == ([A, B], [SOURCE])


def test_a_worker_without_partitions_is_complete_and_one_without_an_assignment_is_not() -> None:
    own = Ownership({})
    assert not own.complete
    own.assign([])
    assert own.complete


def test_a_revoked_state_is_kept_at_its_last_committed_position() -> None:
    own = owner()
    commit(own, {A: 9, SOURCE: 3}, [A], "m1")
    own.revoke(lost=False)
    assert {place: (kept.state, kept.position) for place, kept in own.kept.items()} == {A: ("state of A", (9, "m1"))}
    assert not own.ready


def test_a_lost_state_is_dropped_since_somebody_else_may_have_gone_on() -> None:
    own = owner()
    own.revoke(lost=True)
    assert not own.kept


def test_a_state_that_is_not_ours_any_more_is_dropped() -> None:
    own = owner()
    own.revoke(lost=False)
    own.assign([B, SOURCE])
    assert not own.kept


def test_every_change_is_a_new_generation() -> None:
    own = owner()
    before = own.generation
    own.revoke(lost=False)
    own.assign([A])
    assert own.generation == before + 2


def test_an_end_is_said_once_and_forgotten_with_the_assignment() -> None:
    own = owner()
    commit(own, {SOURCE: 7})
    own.reached(*SOURCE, 8)
    own.reached(*A, 5)
    assert own.unsaid_ends() == {SOURCE: 8}
    commit(own, {SOURCE: 8})
    assert own.unsaid_ends() == {}
    own.reached(*SOURCE, 9)
    own.revoke(lost=False)
    assert own.unsaid_ends() == {}


def sends_frames(own: Ownership) -> None:
    own.reached(*A, 5)
    commit(own, {SOURCE: 1}, sent={A: 7})


def sends_frames_and_reads_them(own: Ownership) -> None:
    sends_frames(own)
    own.reached(*A, 9)


def is_revoked_and_restored(own: Ownership) -> None:
    own.reached(*A, 5)
    own.revoke(lost=False)
    own.assign([A, SOURCE])
    own.restored(A, "state of A", Position(5))


@pytest.mark.parametrize(
    ("happens", "near"),
    [
        pytest.param(lambda _: None, set(), id="before its end was reached, frames of others may be on their way"),
        pytest.param(lambda own: own.reached(*A, 5), {A}, id="at its end nothing is on its way"),
        pytest.param(lambda own: own.reached(*B, 5), set(), id="a state that is not restored cannot be stepped"),
        pytest.param(sends_frames, set(), id="a frame of its own would be overtaken"),
        pytest.param(sends_frames_and_reads_them, {A}, id="until that was read too"),
        pytest.param(is_revoked_and_restored, set(), id="another owner may have sent frames meanwhile"),
    ],
)
def test_a_state_is_near_when_nothing_is_on_its_way_to_it(happens: Callable[[Ownership], None], near: set[Any]) -> None:
    own = owner()
    happens(own)
    assert own.near() == near


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        pytest.param({SOURCE: 3}, {SOURCE: (3, ""), A: (8, "m")}, id="without a record of its own it stays at its end"),
        pytest.param({SOURCE: 3, A: 9}, {SOURCE: (3, ""), A: (9, "m")}, id="with one it goes on"),
    ],
)
def test_a_transaction_that_steps_a_state_marks_its_position(offsets: dict[Any, int], expected: Any) -> None:
    """Else a state kept through a rebalance could pass for current although another owner stepped it meanwhile."""
    own = owner()
    own.reached(*A, 8)
    assert commit(own, offsets, [A]) == expected
