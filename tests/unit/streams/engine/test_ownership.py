"""Who owns what through a rebalance, and which memory may be trusted after it."""

from __future__ import annotations

from streams.engine.ownership import Ownership
from tests.support import toy

FIRST, SECOND = toy.topology("t").processors
A, B, SOURCE = ("t.first-input", 0), ("t.first-input", 1), ("t.source", 0)


def owner() -> Ownership:
    own = Ownership({FIRST.input: FIRST, SECOND.input: SECOND})
    own.assign([A, B, SOURCE])
    own.restored(A, "state of A", 5)
    return own


def test_an_assignment_is_complete_when_every_state_is_ready() -> None:
    own = owner()
    assert not own.complete
    own.restored(B, "state of B", -1001)
    assert own.complete
    assert (own.inputs(), own.sources()) == ([A, B], [SOURCE])


def test_a_worker_without_partitions_is_complete_and_one_without_an_assignment_is_not() -> None:
    own = Ownership({})
    assert not own.complete
    own.assign([])
    assert own.complete


def test_a_revoked_state_is_kept_at_its_last_committed_position() -> None:
    own = owner()
    own.committed({A: 9, SOURCE: 3})
    own.revoke(lost=False)
    assert {place: (kept.state, kept.position) for place, kept in own.kept.items()} == {A: ("state of A", 9)}
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
    own.committed({SOURCE: 7})
    own.reached(*SOURCE, 8)
    own.reached(*A, 5)
    assert own.unsaid_ends() == {SOURCE: 8}
    own.committed({SOURCE: 8})
    assert own.unsaid_ends() == {}
    own.reached(*SOURCE, 9)
    own.revoke(lost=False)
    assert own.unsaid_ends() == {}
