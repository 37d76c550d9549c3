"""The queue of dead letters as it stands: what failed, where, which business process is affected, who owns the remedy, and what was decided."""

from __future__ import annotations

from consumers.core.letter_queue import Filter, Letter, Queue
from infra.errors import Fatal, PoisonMessage
from infra.kafka.reader import read_to_end
from infra.kafka.unread import Told, logged, unread
from infra.settings import Settings
from schemas import contents
from schemas.topics import topic as contract

TOPIC = contract("ops.dead-letter.v1")


def queue(settings: Settings, *, told: Told = logged) -> Queue:
    """The whole queue. A letter that cannot itself be read is `told` of. Raises `Transient` for a broker that fails."""
    found = Queue()
    for record in read_to_end(settings.kafka, TOPIC.name):
        value = record.value()
        if value is None:
            continue
        try:
            found.fold(contents.read("ops.dead-letter.v1", value))
        except PoisonMessage as error:
            told(unread(record, error))
    return found


def letters(found: Queue, wanted: Filter) -> list[Letter]:
    """The letters that are meant, those that failed last first.

    Raises `Fatal` where one is named that the queue does not have. An id may be cut short, as long as it names one letter.
    """
    named = frozenset(_whole(found, identity) for identity in wanted.identities)
    meant = Filter(
        **{name: getattr(wanted, name) for name in Filter.__slots__ if name != "identities"}, identities=named
    )
    fitting = [letter for letter in found.letters.values() if meant.fits(letter)]
    return sorted(fitting, key=lambda letter: letter.event["current"]["last_failed_at"], reverse=True)


def _whole(found: Queue, identity: str) -> str:
    alike = [known for known in found.letters if known.startswith(identity)]
    if len(alike) == 1:
        return alike[0]
    raise Fatal(
        f"{'no letter' if not alike else f'{len(alike)} letters'} {identity}",
        remedy="`burnline dlq list --status all` shows the ids; give as much of one as tells it from the others",
    )
