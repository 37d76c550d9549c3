"""The registry that needs no server: the released files and their numbers, as this program was built with them.

It is never down, and only `burnline schemas release` adds to it; so it takes nothing that it does not have already.
"""

from __future__ import annotations

import json
from typing import Any

from infra.errors import Fatal
from infra.registry.contract import Incompatible, Registered
from schemas.freezing import parsed
from schemas.gate.compatibility import Direction, clashes
from schemas.released import Index
from schemas.subjects import PUBLIC, Subject, subjects, text_of


class BundledRegistry:
    """The released schemas as a registry."""

    name = "the bundled registry"

    def __init__(self, index: Index) -> None:
        """Serve this index."""
        self._index = index
        self._subjects = {subject.name: subject for subject in subjects(index)}

    def find(self, subject: str, schema: str) -> Registered | None:
        """A release of the subject's record, by its text."""
        known = self._subjects.get(subject)
        for release in known.releases if known else ():
            if text_of(release.schema) == schema:
                return Registered(release.wire_id, release.number)
        return None

    def schema(self, number: int) -> str | None:
        """A release, by its number."""
        release = self._index.by_id.get(number)
        return text_of(release.schema) if release else None

    def compatibility(self, subject: str) -> str | None:
        """What releases of this subject are held to."""
        known = self._subjects.get(subject)
        return known.compatibility if known else None

    def set_compatibility(self, subject: str, level: str) -> None:
        """Accept what is so already. Raises `Fatal` for anything else: it follows from whether the topic is public."""
        if self.compatibility(subject) != level:
            raise Fatal(
                f"{self.name} holds {subject} to {self.compatibility(subject)}, not to {level}",
                remedy="a topic's `public` in schemas/topics decides",
            )

    def register(self, subject: str, schema: str, *, number: int) -> Registered:  # noqa: ARG002  a release has its own
        """What is released already. Raises `Incompatible` or `Fatal` for anything else: releases are made elsewhere."""
        present = self.find(subject, schema)
        if present is not None:
            return present
        known = self._subjects.get(subject)
        if known is not None and (broken := _broken(known, json.loads(schema))):
            raise Incompatible(
                f"{self.name} refuses a new version of {subject}: {broken}",
                remedy="put it back as it was; what cannot be compatible needs a new topic",
            )
        raise Fatal(f"{subject} was not released like this", remedy="run `burnline schemas release`")


def _broken(subject: Subject, schema: Any) -> str:
    """What a new version would break; empty for one that breaks nothing."""
    directions = list(Direction) if subject.compatibility == PUBLIC else [Direction.BACKWARD]
    found = {
        clash.change: None
        for release in subject.releases
        for direction in directions
        for clash in clashes(parsed(release.schema), parsed(schema), direction)
    }
    return "; ".join(found)
