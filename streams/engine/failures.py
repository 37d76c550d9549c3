"""What a failure of Kafka means to a worker, and how the process says so when it leaves."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from infra.errors import BurnlineError, Fatal, Transient

EXIT_FATAL = 70
EXIT_TRANSIENT = 75
EXIT_FENCED = 76

_FENCING = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001  the client's public name for it
        KafkaError._FATAL,  # noqa: SLF001  a consumer's only fatal error is that its instance name was taken
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
    }
)
_REFUSALS = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError.MSG_SIZE_TOO_LARGE,
    }
)

_OTHER_RELEASE = (
    "the group has workers of a release that shares partitions in another way, and Kafka takes no mixture: "
    "stop all of them, then start this one; positions and states are the group's, and stay"
)


class Fenced(Transient):
    """Others took over while this worker was away: its transaction is void, and it must start anew."""


class DefectError(Fatal):
    """Code of ours broke on a record. Its partition cannot go on before the code is mended; the others can."""

    def __init__(self, place: tuple[str, int], offset: int, error: Exception) -> None:
        """Name the record, and what broke."""
        self.place, self.offset = place, offset
        super().__init__(
            f"record {offset} of {place[0]}, partition {place[1]}, breaks the program: {error!r}",
            remedy="mend the program and start the workers again: they go on from this record, and nothing is lost",
        )
        self.__cause__ = error  # compiled code does not know `from`


def of_kafka(doing: str, error: KafkaException | KafkaError) -> BurnlineError:
    """The failure that a Kafka error is, for whatever was being done."""
    cause = error.args[0] if isinstance(error, KafkaException) else error
    sentence = f"{doing} failed: {cause.str()} ({cause.name()})"
    if cause.code() in _FENCING:
        return Fenced(sentence, remedy="nothing is lost: start the worker again, and keep its instance name to itself")
    if cause.code() in _REFUSALS:
        return Fatal(
            sentence, remedy="mend the permissions or limits that the broker names; `burnline doctor` checks them"
        )
    if cause.code() == KafkaError.INCONSISTENT_GROUP_PROTOCOL:
        return Transient(sentence, remedy=_OTHER_RELEASE)
    return Transient(sentence, remedy="is the broker up? `burnline broker status` tells; then start the worker again")


def exit_code(error: BaseException) -> int:
    """The status a process leaves with: 75 try again, 76 fenced, 70 a defect or a refusal."""
    if isinstance(error, Fenced):
        return EXIT_FENCED
    return EXIT_TRANSIENT if isinstance(error, Transient) else EXIT_FATAL
