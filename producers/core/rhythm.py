"""How long to wait between two passes: the least while something changes and for a while after, then ever longer up to a limit."""

from __future__ import annotations

GROWTH = 1.25
CALM = 10.0
"""Seconds without a change after which the waits grow: people who are at work pause for longer than one pass."""


class Rhythm:
    """The time between passes, in seconds."""

    def __init__(self, least: float, most: float) -> None:
        """Begin with the least; a limit below it is none."""
        self._least, self._most = least, max(least, most)
        self._calm = 0.0
        self.seconds = least

    def looked(self, *, found: bool) -> None:
        """A pass, or a hint, found a change or did not."""
        if found:
            self._calm, self.seconds = 0.0, self._least
        elif self._calm < CALM:
            self._calm += self.seconds
        else:
            self.seconds = min(self.seconds * GROWTH, self._most)
