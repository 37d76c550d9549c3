"""What the client raised is found behind what the interpreter makes of it."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from infra.kafka.failures import of_client

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
