"""The store of images: what is remembered, by place and range."""

import sys

import pytest

from producers.capture.images import BATCH, Images

FIRST, SECOND = ("finance.invoice.v1", "account.move"), ("finance.dispute.v1", "account.move")


@pytest.fixture
def images() -> Images:
    return Images([FIRST, SECOND])


def test_places_do_not_share_records(images: Images) -> None:
    images.put(FIRST, [(7, b"a", False)])
    assert (images.present(FIRST), images.present(SECOND)) == ({7}, set())
    images.put(SECOND, [(7, b"b", True)])
    assert (images.present(SECOND), images.known(SECOND)) == (set(), {7})
    assert list(images.stored(FIRST)) == [(7, b"a")]
    assert len(images) == 2


def test_what_is_put_again_replaces_what_was_there(images: Images) -> None:
    images.put(FIRST, [(1, b"a", False), (1, b"b", True)])
    assert list(images.stored(FIRST)) == [(1, b"b")]
    assert images.present(FIRST) == set()
    images.put(FIRST, [(1, b"c", False)])
    assert images.present(FIRST) == {1}
    images.mark_gone(FIRST, [1])
    assert (images.present(FIRST), images.known(FIRST)) == (set(), {1})
    images.forget(FIRST, 1)
    assert images.known(FIRST) == set()
    assert images.event(FIRST, 1) is None


def test_ranges_are_above_the_one_bound_and_up_to_the_other(images: Images) -> None:
    images.put(FIRST, [(number, b"x", number % 2 == 0) for number in range(1, 11)])
    images.put(SECOND, [(5, b"x", False)])
    assert images.present(FIRST, 3, 7) == {5, 7}
    assert images.known(FIRST, 3, 7) == {4, 5, 6, 7}
    assert images.present(FIRST, 7, sys.maxsize) == {9}


def test_more_than_a_batch_is_told_in_order(images: Images) -> None:
    count = 2 * BATCH + 3
    images.put(FIRST, [(number, str(number).encode(), False) for number in range(count, 0, -1)])
    images.put(SECOND, [(1, b"other", False)])
    assert [number for number, _ in images.stored(FIRST)] == list(range(1, count + 1))
