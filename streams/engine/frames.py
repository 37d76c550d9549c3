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
from streams.engine.topology import Processor, partition_of

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
        self._topics = {processor.name: processor.input for processor in processors}
        self._buckets: dict[str, list[tuple[list[Pair], list[Any]]]] = {
            name: [([], []) for _ in range(widths[topic])] for name, topic in self._topics.items()
        }

    def add(self, contributions: Iterable[Contribution], origin: Any, only: int | None = None) -> None:
        """Add contributions in their order; those to everybody go to all partitions, or to `only` that one.

        Raises `Fatal` for a processor that the topology does not have.
        """
        for processor, subject, kind, entry in contributions:
            try:
                buckets = self._buckets[processor]
            except KeyError:
                raise Fatal(
                    f"a contribution is meant for {processor!r}, and no such processor runs",
                    remedy=f"mend the route, or wire the processor; there is {', '.join(self._buckets)}",
                ) from None
            if subject != EVERYBODY:
                chosen = [buckets[partition_of(subject, len(buckets))]]
            else:
                chosen = buckets if only is None else [buckets[only]]
            for pairs, origins in chosen:
                pairs.append((kind, entry))
                origins.append(origin)

    def packed(self) -> Packed:
        """Everything added, as frames."""
        result = Packed([], [])
        for name, buckets in self._buckets.items():
            for partition, (pairs, origins) in enumerate(buckets):
                for start in range(0, len(pairs), ENTRIES):
                    values, refused = pack(pairs[start : start + ENTRIES])
                    result.frames.extend((self._topics[name], partition, value) for value in values)
                    result.refused.extend((origins[start + index], error) for index, error in refused)
        return result


def pack(pairs: list[Pair], limit: int = BYTES) -> tuple[list[bytes], list[tuple[int, PoisonMessage]]]:
    """These entries as one frame, or as several where one would be too large; and the index of each that fits none."""
    try:
        value = codec.encode_wire(FRAME, {"entries": pairs})
    except PoisonMessage as error:
        refusal = error
    else:
        if len(value) <= limit:
            return [value], []
        refusal = PoisonMessage(
            f"a {pairs[0][0]} of {len(value)} bytes is larger than a record may be",
            remedy="mend the route that made it: an entry is a handful of fields",
        )
    if len(pairs) == 1:
        return [], [(0, refusal)]
    middle = len(pairs) // 2
    values, refused = pack(pairs[:middle], limit)
    more, also = pack(pairs[middle:], limit)
    return values + more, refused + [(middle + index, error) for index, error in also]
