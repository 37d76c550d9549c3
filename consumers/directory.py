"""The directory of subjects, read from its topics as they stand now."""

from __future__ import annotations

from confluent_kafka import Message

from consumers.core.directory import SOURCES, Directory
from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.kafka.unread import logged, unread
from infra.settings import KafkaSettings
from schemas import contents


def read_directory(kafka: KafkaSettings) -> Directory:
    """What is known of every subject now. A record that cannot be read is logged and passed over. Raises `Transient`."""
    directory = Directory()
    for source in SOURCES:
        for record in read_to_end(kafka, source):
            fold(directory, source, record)
    return directory


def fold(directory: Directory, source: str, record: Message) -> None:
    """Take in a record of one of the directory's topics."""
    key, value = (record.key() or b"").decode("utf-8", "replace"), record.value()
    try:
        directory.fold(source, key, None if value is None else contents.read(source, value))
    except PoisonMessage as error:
        logged(unread(record, error))
