"""A number is asked for once; what nobody knows is asked for again after a while; failures are not remembered."""

from __future__ import annotations

import pytest

from infra.errors import Transient
from infra.registry.answers import MOST, UNKNOWN_FOR, Answers


class Registry:
    def __init__(self, **schemas: str) -> None:
        self.schemas = {int(name[1:]): schema for name, schema in schemas.items()}
        self.asked: list[int] = []
        self.down = False

    def __call__(self, number: int) -> str | None:
        self.asked.append(number)
        if self.down:
            raise Transient("down")
        return self.schemas.get(number)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_known_number_is_asked_for_once_and_for_ever():
    registry, clock = Registry(n7="seven"), Clock()
    answers = Answers(registry, clock)
    assert answers(7) == "seven"
    clock.now += 100 * UNKNOWN_FOR
    assert answers(7) == "seven"
    assert registry.asked == [7]


def test_an_unknown_number_is_asked_for_again_only_after_a_while():
    registry, clock = Registry(), Clock()
    answers = Answers(registry, clock)
    assert [answers(7), answers(7)] == [None, None]
    clock.now += UNKNOWN_FOR - 1
    assert answers(7) is None
    assert registry.asked == [7]
    registry.schemas[7] = "registered since"
    clock.now += 1
    assert answers(7) == "registered since"
    assert registry.asked == [7, 7]


def test_a_registry_that_is_down_is_asked_again_at_once():
    registry = Registry(n7="seven")
    answers = Answers(registry, Clock())
    registry.down = True
    with pytest.raises(Transient):
        answers(7)
    registry.down = False
    assert answers(7) == "seven"


def test_a_flood_of_unknown_numbers_does_not_fill_the_memory():
    registry = Registry()
    answers = Answers(registry, Clock())
    for number in range(2 * MOST):
        answers(number)
    assert len(answers._kept) == MOST
    assert answers(2 * MOST - 1) is None
    assert len(registry.asked) == 2 * MOST  # the last one was still known to be unknown
    answers(0)
    assert len(registry.asked) == 2 * MOST + 1  # the first had to be forgotten
