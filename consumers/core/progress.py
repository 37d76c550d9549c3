"""How far a topic may be committed while its records end in any order.

Invariant: a record's offset is committed only after it and every record before it in its partition has ended.
"""


class Progress:
    """Offsets under way and done, by partition. Not for several threads."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._open: dict[int, dict[int, None]] = {}
        self._next: dict[int, int] = {}

    def started(self, partition: int, offset: int) -> None:
        """A record was taken up; offsets of a partition come in ascending order."""
        self._open.setdefault(partition, {})[offset] = None
        self._next[partition] = offset + 1

    def ended(self, partition: int, offset: int) -> None:
        """A record is done. One of a partition that was forgotten meanwhile is ignored."""
        self._open.get(partition, {}).pop(offset, None)

    def reached(self, partition: int, offset: int) -> None:
        """Nothing but markers of transactions lies before this offset: the next record will have it or a later one."""
        self._next[partition] = max(offset, self._next.get(partition, 0))

    def forget(self, partition: int) -> None:
        """The partition belongs to another."""
        for known in (self._open, self._next):
            known.pop(partition, None)

    def committable(self) -> dict[int, int]:
        """The offset that may be committed, by partition: that of the first record under way, else the next to come."""
        return {
            partition: next(iter(self._open.get(partition) or (following,)))
            for partition, following in self._next.items()
        }

    @property
    def under_way(self) -> int:
        """Number of records taken up and not ended."""
        return sum(map(len, self._open.values()))
