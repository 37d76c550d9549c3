"""The small rules of the engine: where a subject lives, what a topology needs, what an error means, when a dog barks."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from infra.errors import Fatal, PoisonMessage, Transient
from schemas import codec
from streams.engine.failures import EXIT_FATAL, EXIT_FENCED, EXIT_TRANSIENT, Fenced, exit_code, of_kafka
from streams.engine.gathering import Gathering, Rows
from streams.engine.restore import fill
from streams.engine.topology import partition_of
from streams.engine.watchdog import Watchdog
from streams.engine.widths import check
from tests.support import toy

TOPOLOGY = toy.topology("t")
WIDTHS = {topic.name: 6 for topic in toy.topics("t")}


@pytest.mark.parametrize(
    ("subject", "partition"),
    [
        pytest.param("odoo:demo:hr.employee:1", 1, id="states stand where this says: it must never change"),
        pytest.param("odoo:démo:hr.employee:1", 4, id="names beyond ASCII"),
        pytest.param("", 0, id="nobody"),
    ],
)
def test_a_subject_lives_where_it_always_did(subject: str, partition: int) -> None:
    assert partition_of(subject, 6) == partition


def test_a_topology_that_fits_is_let_through() -> None:
    check(TOPOLOGY, WIDTHS)


@pytest.mark.parametrize(
    ("widths", "names"),
    [
        pytest.param({k: v for k, v in WIDTHS.items() if k != "t.alerts"}, "t.alerts", id="a topic is missing"),
        pytest.param(WIDTHS | {"t.first-state": 5}, "t.first-state", id="a partition of input without one of state"),
        pytest.param(WIDTHS | {"t.clock": 7}, "t.clock", id="a tick for a partition that is not"),
    ],
)
def test_a_topology_that_does_not_fit_its_topics_is_refused_by_name(widths: dict[str, int], names: str) -> None:
    with pytest.raises(Fatal, match=names) as refused:
        check(TOPOLOGY, widths)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        pytest.param(KafkaError._FENCED, Fenced, EXIT_FENCED, id="another producer has the name"),
        pytest.param(KafkaError.UNKNOWN_MEMBER_ID, Fenced, EXIT_FENCED, id="it slept through its session"),
        pytest.param(KafkaError.ILLEGAL_GENERATION, Fenced, EXIT_FENCED, id="it slept through a rebalance"),
        pytest.param(KafkaError._TIMED_OUT, Transient, EXIT_TRANSIENT, id="the broker is away"),
        pytest.param(KafkaError.TOPIC_AUTHORIZATION_FAILED, Fatal, EXIT_FATAL, id="no retry gives rights"),
        pytest.param(
            KafkaError.INCONSISTENT_GROUP_PROTOCOL, Transient, EXIT_TRANSIENT, id="workers of another release are there"
        ),
    ],
)
def test_what_an_error_of_kafka_means(code: int, kind: type[Exception], status: int) -> None:
    failure = of_kafka("committing", KafkaException(KafkaError(code)))
    assert type(failure) is kind
    assert exit_code(failure) == status
    assert "committing" in str(failure)
    assert failure.remedy


def test_a_defect_is_fatal() -> None:
    assert exit_code(ZeroDivisionError()) == EXIT_FATAL


def gathered(rows: Rows) -> Gathering:
    made = Gathering(Path())
    for key, value in rows.items():
        made.add(key, value)
    return made


def test_a_state_is_rebuilt_from_its_rows_without_the_deleted_ones() -> None:
    rows = {f"s\x1fr{n}".encode(): codec.encode_wire(toy.ENTRY, toy.entry("s", f"r{n}", version=n)) for n in (1, 2)}
    state = toy.State()
    assert fill(TOPOLOGY.processors[0], state, gathered(rows | {b"s\x1fr3": None})) == 3
    assert state.records == {"s": {"r1": 1, "r2": 2}}


def test_a_row_that_cannot_be_read_stops_the_worker_and_is_named() -> None:
    with pytest.raises(Fatal, match="s · r1") as refused:
        fill(TOPOLOGY.processors[0], toy.State(), gathered({b"s\x1fr1": b"junk!"}))
    assert isinstance(refused.value.__cause__, PoisonMessage)


def test_the_dog_ends_a_process_that_stands_still() -> None:
    left: list[int] = []
    barked = threading.Event()
    with Watchdog(0.3, lambda status: (left.append(status), barked.set())):
        assert barked.wait(30)
    assert left == [EXIT_TRANSIENT]


def test_the_dog_is_quiet_while_the_loop_turns_and_once_it_has_ended() -> None:
    left: list[int] = []
    with Watchdog(0.6, left.append) as dog:
        for _ in range(40):
            dog.turn()
            threading.Event().wait(0.05)
    assert left == []
    assert all(thread.name != "watchdog" for thread in threading.enumerate())
