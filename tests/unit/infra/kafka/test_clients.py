"""Settings that no client can use are named before one is made."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from consumers import dead_letters_watch, trail
from infra.errors import Fatal, Transient
from infra.kafka import alone
from infra.kafka.clients import SWEEP, TRANSACTION, client_config
from infra.kafka.failures import Refused, failure, refusal
from infra.kafka.reader import STALL
from infra.settings import KafkaSettings, StreamsSettings

SASL = {
    "bootstrap_servers": "127.0.0.1:1",
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "PLAIN",
    "sasl_username": "ann",
    "sasl_password": "pw",
}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param({"bootstrap_servers": None}, "no Kafka broker is configured", id="no address"),
        pytest.param(SASL | {"sasl_password": None}, "SASL_PASSWORD is missing", id="a name without a password"),
        pytest.param(SASL | {"sasl_username": None}, "SASL_USERNAME is missing", id="a password without a name"),
        pytest.param(SASL | {"sasl_mechanism": None}, "SASL_MECHANISM is missing", id="no mechanism"),
        pytest.param(
            SASL | {"security_protocol": "SSL"},
            "SECURITY_PROTOCOL is SSL, and BURNLINE_KAFKA__SASL_MECHANISM is set",
            id="a password that would never be used",
        ),
        pytest.param(
            SASL | {"ssl_ca_location": "/no/such.pem"}, "SSL_CA_LOCATION: there is no file", id="no such file"
        ),
    ],
)
def test_settings_that_no_client_can_use_are_named(settings, says):
    with pytest.raises(Fatal, match=says) as caught:
        client_config(KafkaSettings(**settings))
    assert caught.value.remedy


def test_names_passwords_and_files_reach_the_client(tmp_path):
    authority = tmp_path / "ca.pem"
    authority.touch()
    config = client_config(KafkaSettings(**SASL, ssl_ca_location=authority), group_id="g")
    assert {name: config[name] for name in ("security.protocol", "sasl.username", "sasl.password", "group.id")} == {
        "security.protocol": "SASL_SSL",
        "sasl.username": "ann",
        "sasl.password": "pw",
        "group.id": "g",
    }
    assert config["ssl.ca.location"] == str(authority)


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        pytest.param(KafkaError.TOPIC_AUTHORIZATION_FAILED, Refused, "burnline topics apply", id="a right is missing"),
        pytest.param(KafkaError.GROUP_AUTHORIZATION_FAILED, Refused, "burnline doctor", id="on a group"),
        pytest.param(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, Refused, "apply", id="on a transactional id"),
        pytest.param(KafkaError._AUTHENTICATION, Fatal, "SASL_PASSWORD", id="a wrong password"),
        pytest.param(KafkaError._SSL, Fatal, "SSL_CA_LOCATION", id="a certificate we do not trust"),
        pytest.param(KafkaError._TRANSPORT, Transient, "broker", id="nobody there"),
        pytest.param(KafkaError.INVALID_CONFIG, Fatal, "setting", id="a value that makes no sense"),
    ],
)
def test_a_failure_says_whose_it_is(code, kind, remedy):
    told = failure("reading x", KafkaError(code))
    assert type(told) is kind
    assert str(told).startswith("reading x failed: ")
    assert remedy in told.remedy


def test_what_is_no_refusal_is_left_to_the_caller():
    assert refusal("reading x", KafkaError(KafkaError._TRANSPORT)) is None


def test_the_dump_of_a_request_is_not_shown():
    told = failure(
        "giving rights", KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "Request Request(processor=0, …")
    )
    assert str(told) == "giving rights failed: not permitted (CLUSTER_AUTHORIZATION_FAILED)"


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(TRANSACTION, id="the longest: capture, the desk of dead letters, carrying over, a rebuild"),
        pytest.param(StreamsSettings().transaction_timeout, id="a worker of the streams, as it is set by default"),
        pytest.param(alone.SECONDS, id="the governor and the clock"),
        pytest.param(trail.TRANSACTION, id="the audit trail"),
        pytest.param(dead_letters_watch.TRANSACTION, id="who tells of dead letters"),
    ],
)
def test_a_reader_waits_longer_than_a_writer_that_died_holds_it_up(seconds: float) -> None:
    assert seconds + SWEEP <= STALL
