"""What Burnline asks of a schema registry, whichever it is."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from infra.errors import Fatal


class Registered(NamedTuple):
    """What a registry calls a schema: its number in the wire format, and its version under a subject."""

    number: int
    version: int


class Incompatible(Fatal):
    """The registry refuses a schema, since readers of its subject would break."""


class Registry(Protocol):
    """A schema registry. Every method raises `Transient` when it does not answer, `Fatal` when it refuses, with a remedy."""

    name: str
    """Which one, for people."""

    def find(self, subject: str, schema: str) -> Registered | None:
        """What this very schema is called under a subject; None where it is not registered there."""

    def schema(self, number: int) -> str | None:
        """The schema that a number stands for; None for a number that was never given."""

    def compatibility(self, subject: str) -> str | None:
        """The compatibility that was set for the subject itself; None where none was."""

    def set_compatibility(self, subject: str, level: str) -> None:
        """Set it, before the first version as well as later."""

    def register(self, subject: str, schema: str, *, number: int) -> Registered:
        """Add a version, under this number where the registry lets it be chosen. Idempotent: what is there stays as it is.

        Raises `Incompatible` where the subject's compatibility forbids it.
        """
