"""The lock names every jar once, of one version of Kafka."""

import re

from infra.embedded_kafka.lock import Jar, locked_jars, parse_lock


def test_a_line_is_a_jar():
    text = "# Kafka\n\norg.example:a:1.0 12 abc\n"

    assert parse_lock(text) == [Jar("org.example", "a", "1.0", 12, "abc")]
    assert parse_lock(text)[0].name == "a-1.0.jar"


def test_kafka_and_its_client_are_of_one_version():
    versions = {jar.version for jar in locked_jars() if jar.group == "org.apache.kafka"}

    assert len(versions) == 1


def test_each_jar_stands_once_with_its_digest():
    jars = locked_jars()

    assert len({(jar.group, jar.artifact) for jar in jars}) == len(jars) == 46
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) and jar.size > 0 for jar in jars)


def test_the_broker_has_something_to_log_with():
    assert "log4j-slf4j-impl" in {jar.artifact for jar in locked_jars()}
