"""The broker's configuration files and command line, as text: pure.

Rules: every listener is on loopback; nothing is created that was not asked for; one node needs no second copy of anything; buffers are
sized for a developer's machine (Kafka's own defaults take 128 MB for the log cleaner alone).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infra.embedded_kafka.guard import Guard, guarded

HOST = "127.0.0.1"


def server_properties(*, data: Path, port: int, controller_port: int, guard: Guard | None = None) -> str:
    """`server.properties` of a single KRaft node that keeps its logs in `data`; open to everybody on loopback without a `guard`."""
    values = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": _escaped(data),
        # Topics come from code.
        "auto.create.topics.enable": "false",
        # A single node is all there is.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "8",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        # A group starts at once, and a crashed member with a short session is noticed soon.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # After a kill, the next start must wait until the controller has given up its former self.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
        # The longest batch is far shorter; an abandoned transaction holds readers up no longer than this.
        "transaction.max.timeout.ms": "120000",
        # How often timed-out transactions are looked for: with the default of 10 s the successor of a dead writer waits as long.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        # Small machine.
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "num.recovery.threads.per.data.dir": "2",
        # An erasure is proved after compaction: with the default of 15 s it would be waited for as long.
        "log.cleaner.backoff.ms": "1000",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "metric.reporters": "",
    }
    if guard is not None:
        values |= guarded(guard, port=f"{HOST}:{port}", controller=f"{HOST}:{controller_port}")
    return "".join(f"{name}={value}\n" for name, value in values.items())


def log4j_properties(log_file: Path) -> str:
    """`log4j2.properties`: warnings, and the broker's own milestones, into a file that rolls at 10 MB."""
    return f"""\
rootLogger.level=WARN
rootLogger.appenderRef.file.ref=FILE
logger.server.name=kafka.server
logger.server.level=INFO
appender.file.type=RollingFile
appender.file.name=FILE
appender.file.fileName={_escaped(log_file)}
appender.file.filePattern={_escaped(log_file)}.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{{ISO8601}} %p %m (%c{{1}})%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=10MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=2
"""


def java_options(*, heap: str, log4j: Path) -> list[str]:
    """Options for a small Java process that starts fast. The serial collector needs the least memory and threads."""
    return [
        f"-Xmx{heap}",
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={log4j.as_uri()}",
    ]


def java_command(java: Path, options: Sequence[str], jars: Sequence[Path], main: str, *arguments: str) -> list[str]:
    """The command line that runs `main` of these jars."""
    return [str(java), *options, "-cp", ":".join(map(str, jars)), main, *arguments]


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\")
