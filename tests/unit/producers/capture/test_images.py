"""The store of images: what is remembered, by place, record, part and range."""

import pytest

from producers.capture.images import BATCH, Images, joined, numbered

FIRST, SECOND = ("finance.invoice.v1", "account.move"), ("finance.dispute.v1", "account.move")


@pytest.fixture
def images() -> Images:
    return Images([FIRST, SECOND])


def test_places_do_not_share_records(images: Images) -> None:
    images.put(FIRST, [(joined(7, 0), b"a", False)])
    assert (images.present(FIRST), images.present(SECOND)) == ({7}, set())
    images.put(SECOND, [(joined(7, 0), b"b", True)])
    assert (images.present(SECOND), images.known(SECOND)) == (set(), {7})
    assert list(images.stored(FIRST)) == [(joined(7, 0), b"a")]
    assert len(images) == 2


def test_what_is_put_again_replaces_what_was_there(images: Images) -> None:
    one = joined(1, 0)
    images.put(FIRST, [(one, b"a", False), (one, b"b", True)])
    assert list(images.stored(FIRST)) == [(one, b"b")]
    assert images.present(FIRST) == set()
    images.put(FIRST, [(one, b"c", False)])
    assert images.present(FIRST) == {1}
    images.mark_gone(FIRST, [one])
    assert (images.present(FIRST), images.known(FIRST)) == (set(), {1})
    images.forget(FIRST, [one])
    assert images.known(FIRST) == set()
    assert images.latest(FIRST, [one]) == {}


def test_a_record_exists_while_one_of_its_parts_does(images: Images) -> None:
    images.put(FIRST, [(joined(3, 8), b"x", False), (joined(3, 9), b"x", True), (joined(4, 1), b"x", True)])
    assert images.parts(FIRST, 3) == {8, 9}
    assert images.parts(FIRST, 4) == {1}
    assert images.parts(FIRST, 2) == set()
    assert (images.present(FIRST), images.known(FIRST)) == ({3}, {3, 4})
    images.put(FIRST, [(joined(5, 0), b"x", False)])
    assert images.parts(FIRST, 5) == set(), "the whole is no part"


def test_ranges_are_above_the_one_bound_and_up_to_the_other(images: Images) -> None:
    images.put(FIRST, [(joined(number, number % 3), b"x", number % 2 == 0) for number in range(1, 11)])
    images.put(SECOND, [(joined(5, 0), b"x", False)])
    assert images.present(FIRST, 3, 7) == {5, 7}
    assert images.known(FIRST, 3, 7) == {4, 5, 6, 7}
    assert images.present(FIRST, 7) == {9}


def test_more_than_a_batch_is_told_in_order(images: Images) -> None:
    count = 2 * BATCH + 3
    images.put(FIRST, [(joined(number, 0), str(number).encode(), False) for number in range(count, 0, -1)])
    images.put(SECOND, [(joined(1, 0), b"other", False)])
    assert [number for number, _ in images.stored(FIRST)] == [joined(one, 0) for one in range(1, count + 1)]


@pytest.mark.parametrize(
    ("key", "found"),
    [
        pytest.param("project.task:7", ("project.task", joined(7, 0)), id="a record"),
        pytest.param("project.task:7:3", ("project.task", joined(7, 3)), id="a part of it"),
        pytest.param("project.task:x", None, id="no number"),
        pytest.param("project.task", None, id="a model"),
        pytest.param("project.task:1:2:3", None, id="too many numbers"),
    ],
)
def test_what_a_key_names(key: str, found: tuple[str, int] | None) -> None:
    assert numbered(key) == found
