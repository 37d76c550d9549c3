"""Every way a broker can die at start gives one sentence and a remedy, never a stack trace."""

from pathlib import Path

import pytest

from infra.embedded_kafka.diagnosis import Failure, cause, diagnose

STACK = "\tat kafka.server.SharedServer.start(SharedServer.scala:210)"


@pytest.mark.parametrize(
    ("lines", "failure", "message", "remedy"),
    [
        pytest.param(
            [
                "2026-01-01T10:00:00,000 ERROR [KafkaServer id=1] Fatal error during startup (KafkaRaftServer)",
                "org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:9092: Address already in use.",
                STACK,
            ],
            Failure.PORT,
            "port 9092 of 127.0.0.1 is in use by another program",
            "BURNLINE_BROKER__PORT",
            id="somebody took the port between our look and Kafka's",
        ),
        pytest.param(
            [
                "2026-01-01T10:00:00,000 ERROR Error while writing (LogDirFailureChannel)",
                "java.io.IOException: No space left on device",
            ],
            Failure.DISK,
            "no space on the disk of /data",
            "free some space",
            id="the disk filled up while Kafka recovered",
        ),
        pytest.param(
            ["java.nio.file.AccessDeniedException: /data/logs/meta.properties"],
            Failure.ACCESS,
            "cannot write in /data",
            "permission",
            id="a file of another user is no damage, though it is meta.properties",
        ),
        pytest.param(
            [
                "org.apache.kafka.common.KafkaException: Failed to acquire lock on file .lock in /data/logs. A Kafka instance runs."
            ],
            Failure.LOCKED,
            "another Kafka is using the data folder /data",
            "BURNLINE_BROKER__DATA_DIR",
            id="a broker that we did not start works on the folder",
        ),
        pytest.param(
            ["java.lang.RuntimeException: No readable meta.properties files found."],
            Failure.CORRUPT,
            "the broker's data folder /data is damaged: No readable meta.properties files found",
            "move /data away",
            id="meta.properties of an unknown version",
        ),
        pytest.param(
            ["Error: node ID not found in /data/logs"],
            Failure.CORRUPT,
            "damaged",
            "move /data away",
            id="meta.properties is garbage: Kafka leaves with one line on its console",
        ),
        pytest.param(
            [
                "2026-01-01T10:00:00,000 ERROR Error reading /data/logs/recovery-point-offset-checkpoint (LogManager)",
                "java.io.IOException: Malformed line in checkpoint file [/data/logs/recovery-point-offset-checkpoint]: x",
            ],
            Failure.CORRUPT,
            "Malformed line in checkpoint file",
            "restore it from a copy",
            id="an unreadable checkpoint",
        ),
        pytest.param(
            ["Error occurred during initialization of VM", "Too small maximum heap"],
            Failure.MEMORY,
            "Java could not get the broker's memory (heap 256m): Too small maximum heap",
            "BURNLINE_BROKER__HEAP",
            id="a heap too small for Java itself",
        ),
        pytest.param(
            ["Error occurred during initialization of VM", "Unable to use AOT cache."],
            Failure.CACHE,
            "Unable to use AOT cache",
            "see /data/broker.log",
            id="Java's cache does not fit this heap: a start without it may succeed",
        ),
        pytest.param(
            ["Terminating due to java.lang.OutOfMemoryError: Java heap space"],
            Failure.MEMORY,
            "(heap 256m): Java heap space",
            "BURNLINE_BROKER__HEAP",
            id="a heap too small for the folder's data",
        ),
        pytest.param(
            [
                "2026-01-01T10:00:00,000 ERROR Exiting Kafka due to fatal exception (Kafka$)",
                "org.apache.kafka.common.config.ConfigException: Invalid value x for configuration y: must be a number",
                STACK,
            ],
            Failure.UNKNOWN,
            "the embedded broker died at start: Invalid value x for configuration y: must be a number",
            "see /data/broker.log",
            id="what the table does not know is told in the log's own words",
        ),
        pytest.param(
            [], Failure.UNKNOWN, "it left no word", "see /data/broker.log", id="killed from outside: no log at all"
        ),
        pytest.param(
            ["WARNING: Unsafe::x will be removed, No space left on device", "2026 INFO No space left on device (X)"],
            Failure.UNKNOWN,
            "it left no word",
            "see /data/broker.log",
            id="harmless lines with a telling word do not decide",
        ),
    ],
)
def test_a_dead_broker_is_explained(lines, failure, message, remedy):
    found = diagnose(lines, data_dir=Path("/data"), port=9092, heap="256m", log_file=Path("/data/broker.log"))

    assert found.failure is failure
    assert message in found.message
    assert remedy in found.remedy
    assert "\tat " not in found.message
    assert "Exception" not in found.message


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        pytest.param(
            [
                "2026 ERROR Fatal error (X)",
                "java.lang.RuntimeException: outer",
                "Caused by: java.io.IOException: deepest",
            ],
            "deepest",
            id="the last cause is the deepest",
        ),
        pytest.param(
            ["java.lang.RuntimeException: java.io.IOException: inner"], "inner", id="nested class names are dropped"
        ),
        pytest.param(
            ["2026-01-01T10:00:00,000 ERROR It broke. See above. (K)"], "It broke", id="one sentence is enough"
        ),
        pytest.param(
            ["Caused by: java.lang.NullPointerException", "2026 ERROR no word (K)"],
            "no word",
            id="a cause without words",
        ),
        pytest.param([], "", id="nothing was said"),
    ],
)
def test_the_cause_is_told_in_words(lines, words):
    assert cause(lines) == words
