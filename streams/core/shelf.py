"""Where whole subjects are while nothing moves them: the core knows that there is such a place, and not where.

Rules
- A subject is in memory or on the shelf, never in both. One on the shelf is as it was put there.
- Whatever has to look at every subject looks at one after the other, and puts back what it took.

Invariant: what is published does not depend on which subjects are put away, nor when.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable


class Shelf(Protocol):
    """Holds subjects of one partition by their keys."""

    def keys(self) -> Iterable[str]:
        """What is on it."""

    def look(self, key: str) -> Any | None:
        """A subject as it was put there, to be looked at: it stays where it is, and what is done to this copy is lost."""

    def take(self, key: str) -> Any | None:
        """A subject, which is on the shelf no more."""

    def put(self, key: str, subject: Any) -> bool:
        """Take in a subject; where that cannot be done, say so: it has to stay in memory."""


class NoShelf:
    """Nothing is put away."""

    __slots__ = ()

    def keys(self) -> Iterable[str]:
        """Nothing is on it."""
        return ()

    def look(self, key: str) -> Any | None:  # noqa: ARG002  Shelf
        """Nothing is on it."""
        return None

    def take(self, key: str) -> Any | None:  # noqa: ARG002  Shelf
        """Nothing is on it."""
        return None

    def put(self, key: str, subject: Any) -> bool:  # noqa: ARG002  Shelf
        """Nothing goes on it."""
        return False


@runtime_checkable
class Divided(Protocol):
    """A state of which subjects can be put away: those in memory, and the shelf with the others."""

    subjects: dict[str, Any]
    shelf: Shelf


def no_shelf() -> Shelf:
    """What a state has in the place of a shelf when it is written down: who reads it gives it one."""
    return NoShelf()
