"""How long to wait between two passes: the least while something changes, ever longer up to a limit while nothing does."""

from __future__ import annotations

GROWTH = 1.25


class Rhythm:
    """The time between passes, in seconds."""

    def __init__(self, least: float, most: float) -> None:
        """Begin with the least; a limit below it is none."""
        self._least, self._most = least, max(least, most)
        self.seconds = least

    def looked(self, *, found: bool) -> None:
        """A pass, or a hint, found a change or did not."""
        self.seconds = self._least if found else min(self.seconds * GROWTH, self._most)
