"""What a failure of Kafka means, where it is not the broker that is away but we who are not let in, or not let do."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException, Message

from infra.errors import Fatal, Transient

# the client's public names, its own errors among them
_UNAUTHORIZED = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
_UNAUTHENTICATED = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})  # noqa: SLF001
_AWAY = frozenset({KafkaError._TRANSPORT, KafkaError._TIMED_OUT})  # noqa: SLF001
_PASSING = frozenset({KafkaError._MAX_POLL_EXCEEDED, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})  # noqa: SLF001
GRANT = "`burnline topics apply`, run as the administrator, gives the right; `burnline doctor`, as this user, names what else is missing"


def passes(error: KafkaError) -> bool:
    """Whether a member of a group that is told this goes on: the client is about to mend it by itself."""
    return error.code() in _PASSING or error.retriable()


def is_record(taken: Message) -> bool:
    """Whether what the client hands out is a record; it is none at the end of a partition. Raises `Fatal` or `Transient` where reading failed."""
    error = taken.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  as above
        doing = f"reading {taken.topic()}"
        raise refusal(doing, error) or Transient(
            f"{doing} failed: {error.str()}", remedy="is the broker up, and is the topic there?"
        )
    return error is None


class Refused(Fatal):
    """We lack a right. Nothing that we do again will change that."""


def refusal(doing: str, error: KafkaException | KafkaError) -> Fatal | None:
    """The failure to raise where the broker refuses us or our record, or where TLS fails; None where the cause is another one."""
    cause = cause_of(error)
    sentence = f"{doing} failed: {words(cause)} ({cause.name()})"
    if cause.code() in _UNAUTHORIZED:
        return Refused(sentence, remedy=GRANT)
    if cause.code() in _UNAUTHENTICATED:
        return Fatal(
            sentence,
            remedy="correct BURNLINE_KAFKA__SASL_USERNAME and …SASL_PASSWORD, or have the user made on the broker",
        )
    if cause.code() == KafkaError._SSL:  # noqa: SLF001  as above
        return Fatal(
            sentence,
            remedy="set BURNLINE_KAFKA__SSL_CA_LOCATION to the certificate of who signed the broker's, and use the name that it is for",
        )
    if cause.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return Fatal(
            f"{doing} failed: the topic takes smaller records than this program sends ({cause.name()})",
            remedy="run `burnline topics apply`: it gives the topics the limit of BURNLINE_KAFKA__MAX_MESSAGE_BYTES",
        )
    return None


def failure(doing: str, error: KafkaException | KafkaError) -> Fatal | Transient:
    """The failure to raise: `Transient` where the broker is away or says that it may pass, else `Fatal`."""
    cause = cause_of(error)
    refused = refusal(doing, cause)
    if refused is not None:
        return refused
    sentence = f"{doing} failed: {words(cause)} ({cause.name()})"
    if cause.retriable() or cause.code() in _AWAY:
        return Transient(sentence, remedy="is the broker up? `burnline broker status` tells")
    return Fatal(sentence, remedy="mend what the broker names: a replication factor, or a setting's value")


def cause_of(error: KafkaException | KafkaError) -> KafkaError:
    """The error in an exception."""
    cause: KafkaError = error.args[0] if isinstance(error, KafkaException) else error
    return cause


def words(cause: KafkaError) -> str:
    """What the broker says, without the dump of the whole request that some refusals carry."""
    said = cause.str()
    return "not permitted" if said.startswith("Request Request(") else said


def of_client(error: KafkaException | SystemError) -> KafkaException:
    """The client's own exception. A fatal one that comes while a delivery is reported is wrapped by the interpreter; any other is raised."""
    if isinstance(error, KafkaException):
        return error
    if isinstance(error.__cause__, KafkaException):
        return error.__cause__
    raise error
