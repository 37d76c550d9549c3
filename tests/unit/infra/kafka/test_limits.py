"""A record that its topic would not take is refused before it is sent, with what to do about it."""

from __future__ import annotations

import pytest

from infra.errors import PoisonMessage
from infra.kafka.limits import ROOM, record_size, refuse_large

HEADERS = [("ce_id", b"1234"), ("empty", None)]


def test_everything_that_travels_counts():
    assert record_size(None, None, None) == ROOM
    assert record_size(b"key", b"value", HEADERS) == ROOM + 3 + 5 + (5 + 4 + 10) + (5 + 10)


@pytest.mark.parametrize("size", [0, 1000 - ROOM])
def test_a_record_up_to_the_limit_passes(size):
    refuse_large("t", None, b"x" * size, None, 1000)


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        pytest.param(None, b"x" * (1001 - ROOM), None, id="by one byte of value"),
        pytest.param(b"k" * 1000, None, None, id="by its key"),
        pytest.param(None, None, [("h", b"x" * 1000)], id="by its headers"),
    ],
)
def test_a_record_beyond_the_limit_is_refused_with_what_to_do(key, value, headers):
    with pytest.raises(PoisonMessage, match=r"1,\d\d\d bytes is larger than t takes") as caught:
        refuse_large("t", key, value, headers, 1000)
    assert caught.value.reason == "too_large"
    assert "BURNLINE_KAFKA__MAX_MESSAGE_BYTES" in caught.value.remedy
