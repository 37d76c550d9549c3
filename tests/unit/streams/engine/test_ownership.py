"""Who owns what through a rebalance, and which memory may be trusted after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from streams.engine.ownership import Ownership, Position
from tests.support import toy

FIRST, SECOND = toy.topology("t").processors
A, B, C = (("t.first-input", number) for number in range(3))
OTHER, SOURCE = ("t.another", 0), ("t.source", 0)


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


def test_a_member_without_partitions_is_complete_and_one_who_is_no_member_is_not() -> None:
    own = Ownership({})
    assert not own.complete
    own.assign([])
    assert own.complete
    own.revoke([], lost=True)
    assert not own.complete


def test_what_stays_is_not_touched_by_what_goes_and_comes() -> None:
    own = owner()
    commit(own, {A: 9, SOURCE: 3}, [A], "m1")
    own.reached(A, 9)
    own.revoke([B])
    own.assign([OTHER])
    assert own.ready == {A: (FIRST, "state of A")}
    assert (own.position(A), own.near()) == ((9, "m1"), {A})
    assert own.inputs() == [A]


def test_what_went_is_dropped_with_all_that_was_known_of_it() -> None:
    own = owner()
    own.reached(A, 9)
    own.revoke([A])
    assert (own.ready, own.near(), own.standing()) == ({}, frozenset(), {})


def test_only_what_came_since_is_restored() -> None:
    own = owner()
    assert own.to_restore() == [A, B]
    own.assign([])
    assert own.to_restore() == []
    own.revoke([B])
    own.assign([B, OTHER])
    assert own.to_restore() == [B]


def test_what_was_begun_before_a_partition_went_is_recognised_though_it_is_back() -> None:
    own = owner()
    before = own.generation
    assert own.held(A, before)
    own.revoke([A])
    assert not own.held(A, before)
    own.assign([A])
    assert not own.held(A, before)
    assert own.held(A, own.generation)
    assert own.held(B, before)


def ready_and_near(own: Ownership) -> Ownership:
    own.restored(B, "state of B", Position(5))
    own.reached(A, 5)
    own.reached(B, 5)
    return own


def test_sources_wait_until_every_state_is_ready_and_near() -> None:
    own = owner()
    assert own.to_let_go() == []
    ready_and_near(own)
    assert own.to_let_go() == [SOURCE]
    assert own.to_let_go() == [], "once"


def test_those_that_flow_go_on_while_a_new_state_is_restored_and_wait_until_it_is_near() -> None:
    own = ready_and_near(owner())
    own.to_let_go()
    own.assign([C, OTHER])
    assert (own.to_hold_up(), own.to_let_go()) == ([], []), "while it is restored"
    own.restored(C, "state of C", Position(5))
    assert own.to_hold_up() == [SOURCE]
    assert own.to_hold_up() == [], "once"
    assert own.to_let_go() == []
    own.reached(C, 5)
    assert own.to_let_go() == [OTHER, SOURCE]


def test_what_a_defect_stopped_neither_goes_on_nor_is_waited_for() -> None:
    own = owner()
    own.restored(B, "state of B", Position(5))
    own.reached(A, 5)
    own.stopped |= {B, SOURCE}
    assert own.to_let_go() == []
    own.assign([OTHER])
    assert own.to_let_go() == [OTHER]


def test_an_end_is_said_once_and_forgotten_with_the_assignment() -> None:
    own = owner()
    commit(own, {SOURCE: 7})
    own.reached(SOURCE, 8)
    own.reached(A, 5)
    assert own.unsaid_ends() == {SOURCE: 8}
    commit(own, {SOURCE: 8})
    assert own.unsaid_ends() == {}
    own.reached(SOURCE, 9)
    own.revoke([SOURCE])
    assert own.unsaid_ends() == {}


@pytest.mark.parametrize(
    ("happens", "taken"),
    [
        pytest.param(lambda _: None, 0, id="nothing yet"),
        pytest.param(lambda own: commit(own, {SOURCE: 7}), 7, id="what was committed"),
        pytest.param(lambda own: own.reached(SOURCE, 8), 8, id="and the marks behind it"),
    ],
)
def test_what_was_taken_of_a_partition(happens: Callable[[Ownership], object], taken: int) -> None:
    own = owner()
    happens(own)
    assert own.taken(SOURCE) == taken


def sends_frames(own: Ownership) -> None:
    own.reached(A, 5)
    commit(own, {SOURCE: 1}, sent={A: 7})


def sends_frames_and_reads_them(own: Ownership) -> None:
    sends_frames(own)
    own.reached(A, 9)


def is_revoked_and_restored(own: Ownership) -> None:
    own.reached(A, 5)
    own.revoke([A])
    own.assign([A])
    own.restored(A, "state of A", Position(5))


@pytest.mark.parametrize(
    ("happens", "near"),
    [
        pytest.param(lambda _: None, set(), id="before its end was reached, frames of others may be on their way"),
        pytest.param(lambda own: own.reached(A, 5), {A}, id="at its end nothing is on its way"),
        pytest.param(lambda own: own.reached(B, 5), set(), id="a state that is not restored cannot be stepped"),
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
    own.reached(A, 8)
    assert commit(own, offsets, [A]) == expected
