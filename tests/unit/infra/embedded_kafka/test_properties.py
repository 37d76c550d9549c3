"""What the broker is told: loopback only, nothing automatic, one node."""

from pathlib import Path

import pytest

from infra.embedded_kafka.guard import Guard
from infra.embedded_kafka.properties import java_command, java_options, log4j_properties, server_properties


def properties(text):
    return dict(line.split("=", 1) for line in text.splitlines())


SERVER = properties(server_properties(data=Path("/data/logs"), port=9092, controller_port=19093))


@pytest.mark.parametrize("name", ["listeners", "advertised.listeners"])
def test_every_listener_is_on_loopback(name):
    assert SERVER[name] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:19093"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("auto.create.topics.enable", "false", id="a misspelt topic is an error"),
        pytest.param("group.initial.rebalance.delay.ms", "0", id="a group starts at once"),
        pytest.param("offsets.topic.replication.factor", "1", id="offsets on one node"),
        pytest.param("transaction.state.log.replication.factor", "1", id="transactions on one node"),
        pytest.param("transaction.state.log.min.isr", "1", id="transactions with one copy"),
        pytest.param("controller.quorum.bootstrap.servers", "127.0.0.1:19093", id="the node is its own controller"),
        pytest.param("log.dirs", "/data/logs", id="data where it was asked for"),
        pytest.param("metric.reporters", "", id="no JMX"),
    ],
)
def test_a_single_node_for_one_machine(name, value):
    assert SERVER[name] == value


def test_a_backslash_in_a_path_is_not_an_escape():
    assert "log.dirs=/a\\\\b\n" in server_properties(data=Path("/a\\b"), port=1, controller_port=2)


def test_the_log_goes_to_the_folder():
    assert "appender.file.fileName=/data/broker.log\n" in log4j_properties(Path("/data/broker.log"))


def test_java_opens_no_port_of_its_own():
    options = java_options(heap="64m", log4j=Path("/data/log4j2.properties"))

    assert "-Xmx64m" in options
    assert not [option for option in options if "jmxremote" in option or "agentlib" in option]


def test_a_command_ends_with_the_class_and_its_arguments():
    command = java_command(Path("/j"), ["-Xmx1m"], [Path("/a.jar"), Path("/b.jar")], "kafka.Kafka", "/p")

    assert command == ["/j", "-Xmx1m", "-cp", "/a.jar:/b.jar", "kafka.Kafka", "/p"]


GUARD = Guard("root", "pw-of-root", Path("/pki/broker.pem"), Path("/pki/ca.pem"))
GUARDED = properties(server_properties(data=Path("/data"), port=9092, controller_port=19093, guard=GUARD))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("listeners", "SASL_SSL://127.0.0.1:9092,CONTROLLER://127.0.0.1:19093", id="no open door"),
        pytest.param("allow.everyone.if.no.acl.found", "false", id="what nobody allowed is forbidden"),
        pytest.param("super.users", "User:root", id="one may do everything"),
        pytest.param("sasl.mechanism.inter.broker.protocol", "PLAIN", id="the broker has a name, too"),
        pytest.param("sasl.mechanism.controller.protocol", "PLAIN", id="and so has the controller"),
        pytest.param("auto.create.topics.enable", "false", id="all else is as without a guard"),
    ],
)
def test_a_guard_leaves_no_listener_without_a_name_and_a_password(name, value):
    assert GUARDED[name] == value


def test_a_guard_s_password_does_not_show():
    assert "pw-of-root" not in repr(GUARD)
