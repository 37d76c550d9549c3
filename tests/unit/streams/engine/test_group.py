"""Who follows whom, who is asked, and who joins anew when a lane has no worker: worked out by each member, from the same view."""

from __future__ import annotations

import pytest

from infra.kafka.names import worker_address, worker_client
from streams.engine.group import Group
from streams.engine.lanes import Lanes
from tests.support import toy


def group(**lanes: set[int]) -> Group:
    return Group({name: frozenset(numbers) for name, numbers in lanes.items()})


@pytest.mark.parametrize(
    ("seen", "copies", "followed"),
    [
        pytest.param(group(a={0, 1, 2}), 1, {"a": set()}, id="alone there is nobody to follow"),
        pytest.param(group(a={0, 1}, b={2, 3}), 1, {"a": {2, 3}, "b": {0, 1}}, id="two follow each other"),
        pytest.param(group(a={0, 1}, b={2, 3}), 0, {"a": set(), "b": set()}, id="none are wanted"),
        pytest.param(
            group(a={0, 1}, b={2, 3}, c={4, 5}),
            1,
            {"a": {2, 4}, "b": {0, 5}, "c": {1, 3}},
            id="each lane of a dead worker goes to who has fewest by then",
        ),
        pytest.param(
            group(a={0, 1, 2}, b={3, 4, 5}, c=set()), 1, {"a": set(), "b": set(), "c": {0, 1, 2, 3, 4, 5}}, id="all to an idle one"
        ),
        pytest.param(
            group(a={0, 1}, b={2, 3}, c={4, 5}),
            5,
            {"a": {2, 3, 4, 5}, "b": {0, 1, 4, 5}, "c": {0, 1, 2, 3}},
            id="with more copies than others there are, everybody follows everything",
        ),
    ],
)  # fmt: skip
def test_a_lane_is_followed_by_who_would_get_it(seen: Group, copies: int, followed: dict[str, set[int]]) -> None:
    assert {name: seen.standby(name, copies) for name in followed} == followed


def test_who_is_no_member_follows_nobody() -> None:
    assert group(a={0, 1}).standby("b", 1) == frozenset()


@pytest.mark.parametrize(
    ("seen", "who"),
    [
        pytest.param(group(a={0, 1}, b={2, 3}), set(), id="every lane has its worker"),
        pytest.param(group(a={0, 1}, b={3}), {"b"}, id="who has least"),
        pytest.param(group(a={0}, b={3}), {"a"}, id="and one alone of two that have as little"),
        pytest.param(group(), set(), id="nobody is there"),
    ],
)
def test_one_member_sees_to_a_lane_without_a_worker(seen: Group, who: set[str]) -> None:
    assert {name for name in ("a", "b") if seen.mends(name, 4)} == who


def test_a_member_is_found_by_its_lane() -> None:
    seen = Group({"a": frozenset({0}), "b": frozenset({1})}, {"a": "http://a:6066"})
    assert [seen.address_of(lane, "c") for lane in (0, 1, 2)] == ["http://a:6066", None, None]
    assert seen.address_of(0, "a") is None, "nobody is led back to where they ask"


@pytest.mark.parametrize(
    ("client", "address"),
    [
        pytest.param(worker_client("https://w1.example.com:6066"), "https://w1.example.com:6066", id="as it was told"),
        pytest.param(worker_client(None), None, id="none was told"),
        pytest.param("somebody@https://elsewhere.example.com", None, id="no worker of ours"),
        pytest.param("rdkafka", None, id="the client's own name"),
    ],
)
def test_an_address_travels_in_the_client_id(client: str, address: str | None) -> None:
    assert worker_address(client) == address


def test_a_lane_is_the_same_partition_of_every_topic_and_a_wider_topic_has_several() -> None:
    topology = toy.topology("t")
    widths = dict.fromkeys([*topology.sources, *(p.input for p in topology.processors)], 2) | {"t.source": 5}
    lanes = Lanes(topology, widths)
    assert (lanes.lead, lanes.width) == ("t.clock", 2)
    assert lanes.places([1]) == [
        ("t.clock", 1), ("t.first-input", 1), ("t.second-input", 1), ("t.source", 1), ("t.source", 3),
    ]  # fmt: skip
    assert sorted(lanes.places([0, 1])) == sorted((topic, n) for topic, width in widths.items() for n in range(width))
