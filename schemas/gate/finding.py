"""What the gate says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

UNRELEASED = "unreleased"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be: what kind, of what, in a sentence, and what to do.

    `versions` are the releases it breaks, by record; `where` is the part and field, for a change of a schema. Only what is `unreleased` may be released.
    """

    kind: str
    subject: str
    sentence: str
    fix: str
    versions: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    where: str = ""
