"""Dead letters, newest first: what failed, where, which business process is affected, and who owns the remedy. Read only."""

from __future__ import annotations

from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.settings import Settings
from schemas import codec
from schemas.records import DeadLetterEvent
from schemas.topics import topic as contract

TOPIC = contract("ops.dead-letter.v1")


def dead_letters(
    settings: Settings, *, topic: str | None = None, owner: str | None = None, limit: int | None = None
) -> list[DeadLetterEvent]:
    """The letters as they stand now: of one event id the latest, newest first; only those of `topic` or `owner` where given.

    Raises `Transient` for a broker that fails, `PoisonMessage` where a dead letter itself cannot be read.
    """
    latest: dict[str, DeadLetterEvent] = {}
    for record in read_to_end(settings.kafka, TOPIC.name):
        value = record.value()
        if value is None:
            continue
        try:
            letter: DeadLetterEvent = codec.decode(value).value
        except PoisonMessage as error:
            place = f"{TOPIC.name}, partition {record.partition()}, offset {record.offset()}"
            raise PoisonMessage(f"the dead letter at {place} cannot be read: {error}", remedy=error.remedy) from error
        current = letter["current"]
        if topic in {None, current["topic"]} and owner in {None, current["owner"]}:
            latest[letter["meta"]["event_id"]] = letter
    newest = sorted(latest.values(), key=lambda letter: letter["current"]["last_failed_at"], reverse=True)
    return newest[:limit]
