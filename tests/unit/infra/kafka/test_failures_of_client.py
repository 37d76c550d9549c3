"""What the client raised is found behind what the interpreter makes of it."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from infra.errors import Fatal, Transient
from infra.kafka.failures import is_record, of_client

FENCED = KafkaException(KafkaError(KafkaError._FENCED))


def wrapped(cause: Exception | None) -> SystemError:
    error = SystemError("a callback returned a result with an exception set")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "raised", [pytest.param(FENCED, id="as it is"), pytest.param(wrapped(FENCED), id="while a delivery was reported")]
)
def test_the_client_s_own_exception_is_found(raised):
    assert of_client(raised) is FENCED


def test_another_error_of_the_interpreter_is_none_of_the_client_s():
    with pytest.raises(SystemError):
        of_client(wrapped(None))


class Taken:
    """What the client hands out, as far as it is asked."""

    def __init__(self, code: int | None) -> None:
        self._error = None if code is None else KafkaError(code, "the broker's words")

    def error(self) -> KafkaError | None:
        return self._error

    def topic(self) -> str:
        return "governance.alert.v1"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        pytest.param(None, True, id="a record"),
        pytest.param(KafkaError._PARTITION_EOF, False, id="the end of a partition"),
        pytest.param(KafkaError._ALL_BROKERS_DOWN, Transient, id="the broker is away"),
        pytest.param(KafkaError.TOPIC_AUTHORIZATION_FAILED, Fatal, id="we may not read"),
    ],
)
def test_what_is_handed_out_is_a_record_or_an_end_or_a_failure(code, found):
    taken: Any = Taken(code)
    if isinstance(found, bool):
        assert is_record(taken) is found
        return
    with pytest.raises(found, match=r"reading governance\.alert\.v1 failed"):
        is_record(taken)
