"""Dead letters, newest first: what failed, where, which business process is affected, and who owns the remedy. Read only."""

from __future__ import annotations

from infra.errors import PoisonMessage
from infra.kafka.reader import read_to_end
from infra.kafka.unread import Told, logged, unread
from infra.settings import Settings
from schemas import contents
from schemas.records import DeadLetterEvent
from schemas.topics import topic as contract

TOPIC = contract("ops.dead-letter.v1")


def dead_letters(
    settings: Settings,
    *,
    topic: str | None = None,
    owner: str | None = None,
    limit: int | None = None,
    told: Told = logged,
) -> list[DeadLetterEvent]:
    """The letters as they stand now: of one event id the latest, newest first; only those of `topic` or `owner` where given.

    A letter that cannot itself be read is `told` of, and the others are listed. Raises `Transient` for a broker that fails.
    """
    latest: dict[str, DeadLetterEvent] = {}
    for record in read_to_end(settings.kafka, TOPIC.name):
        value = record.value()
        if value is None:
            continue
        try:
            letter = contents.read("ops.dead-letter.v1", value)
        except PoisonMessage as error:
            told(unread(record, error))
            continue
        current = letter["current"]
        if topic in {None, current["topic"]} and owner in {None, current["owner"]}:
            latest[letter["meta"]["event_id"]] = letter
    newest = sorted(latest.values(), key=lambda letter: letter["current"]["last_failed_at"], reverse=True)
    return newest[:limit]
