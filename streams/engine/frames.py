"""Frames: the contributions of a batch, packed by processor and partition, many in one record.

A send costs more than a step, so contributions travel together. Their order within a partition is the order in which
they were added. A frame holds at most `ENTRIES` of them and `BYTES`. An entry that fits no frame is refused alone, with the
record it came from; the others travel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from infra.errors import Fatal, PoisonMessage
from schemas import codec
from streams.core.contract import EVERYBODY, Contribution
from streams.engine.topology import Partition, Processor, partition_of

FRAME = "burnline.internal.Frame"
ENTRIES = 500
BYTES = 900_000
"""Below the 1 MB that a broker takes by default, with room for the record's own overhead."""

Pair = tuple[str, Any]


class Packed(NamedTuple):
    """Frames as (topic, partition, value), in order per partition; and what fits none, with its origin and the reason."""

    frames: list[tuple[str, int, bytes]]
    refused: list[tuple[Any, PoisonMessage]]


class Frames:
    """Collects the contributions of one batch. `widths` is the number of partitions of each processor's input."""

    def __init__(self, processors: Iterable[Processor], widths: Mapping[str, int]) -> None:
        """Begin without any."""
        self._places: dict[str, list[Partition]] = {
            processor.name: [(processor.input, n) for n in range(widths[processor.input])] for processor in processors
        }
        self._buckets: dict[Partition, tuple[list[Pair], list[Any]]] = {
            place: ([], []) for places in self._places.values() for place in places
        }

    def lanes(self) -> Mapping[str, list[Partition]]:
        """The partitions of each processor's input, in order."""
        return self._places

    def places(self, contribution: Contribution, only: int | None = None) -> list[Partition]:
        """Where a contribution goes: to its subject's partition; what concerns everybody to all, or to `only` that one.

        Raises `Fatal` for a processor that the topology does not have.
        """
        try:
            places = self._places[contribution.processor]
        except KeyError:
            raise Fatal(
                f"a contribution is meant for {contribution.processor!r}, and no such processor runs",
                remedy=f"mend the route, or wire the processor; there is {', '.join(self._places)}",
            ) from None
        if contribution.subject != EVERYBODY:
            return [places[partition_of(contribution.subject, len(places))]]
        return places if only is None else [places[only]]

    def add(self, place: Partition, contribution: Contribution, origin: Any) -> None:
        """Let a contribution travel to a place, behind those that were added before it."""
        pairs, origins = self._buckets[place]
        pairs.append((contribution.kind, contribution.entry))
        origins.append(origin)

    def packed(self) -> Packed:
        """Everything added, as frames."""
        result = Packed([], [])
        for place, (pairs, origins) in self._buckets.items():
            for start in range(0, len(pairs), ENTRIES):
                values, refused = pack(pairs[start : start + ENTRIES])
                result.frames.extend((*place, value) for value in values)
                result.refused.extend((origins[start + index], error) for index, error in refused)
        return result


def sealed(kind: str, entry: Any) -> bytes:
    """An entry as a record of its own. Raises `PoisonMessage` for one that could not travel in a frame either."""
    data = codec.encode_wire(kind, entry)
    if len(data) > BYTES:
        raise _too_large(kind, len(data))
    return data


def pack(pairs: list[Pair], limit: int = BYTES) -> tuple[list[bytes], list[tuple[int, PoisonMessage]]]:
    """These entries as one frame, or as several where one would be too large; and the index of each that fits none."""
    try:
        value = codec.encode_wire(FRAME, {"entries": pairs})
    except PoisonMessage as error:
        refusal = error
    else:
        if len(value) <= limit:
            return [value], []
        refusal = _too_large(pairs[0][0], len(value))
    if len(pairs) == 1:
        return [], [(0, refusal)]
    middle = len(pairs) // 2
    values, refused = pack(pairs[:middle], limit)
    more, also = pack(pairs[middle:], limit)
    return values + more, refused + [(middle + index, error) for index, error in also]


def _too_large(kind: str, size: int) -> PoisonMessage:
    return PoisonMessage(
        f"a {kind} of {size} bytes is larger than a record may be",
        remedy="mend the route that made it: an entry is a handful of fields",
        reason="too_large",
    )
