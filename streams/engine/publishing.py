"""An output of a processor as records: of its topic, and of that topic's older editions while they live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from infra.errors import Fatal, PoisonMessage
from schemas import codec
from schemas.events import Headers, cloudevents_headers
from schemas.successions import older_editions
from schemas.topics import Topic


class Published(NamedTuple):
    """A record to write to a topic, on the partition of its key. Of a topic all records have headers, or none has: else their order is not kept."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


Publish = Callable[[Topic, Any], Iterable[Published]]


def published(topic: Topic, event: Any) -> Iterator[Published]:
    """The records that an event becomes. Raises `Fatal` for one that breaks its schema."""
    for edition, told in ((topic, event), *older_editions(topic, event)):
        meta = told["meta"]
        try:
            value = codec.encode(edition.record, told)
        except PoisonMessage as error:
            raise Fatal(f"an output for {edition.name} is broken: {error}", remedy="mend the processor") from error
        yield Published(edition.name, meta["subject"].encode(), value, cloudevents_headers(edition, meta))
