"""The gate: every schema and topic as it is now, held against everything that was ever released.

Rules
- Records of a public topic are compared both ways with all their releases (FULL_TRANSITIVE), others backward (BACKWARD_TRANSITIVE).
- What differs from its newest release in more than words is *unreleased*, and must be released before it is written.
- A frozen file that changed is found by its fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from schemas import catalogue
from schemas.freezing import parsed
from schemas.gate import records
from schemas.gate import topics as promises
from schemas.gate.finding import UNRELEASED, Finding
from schemas.gate.flaws import flaws
from schemas.gate.integrity import damages, taken_back
from schemas.gate.records import is_public
from schemas.gate.topics import promised
from schemas.released import Index
from schemas.successions import SUCCESSIONS, Succession
from schemas.topics import Topic

__all__ = ["UNRELEASED", "Finding", "examine", "is_public", "promised", "taken_back"]


def examine(
    topics: Mapping[str, Topic],
    index: Index,
    *,
    avro: Path,
    released: Path,
    today: date,
    successions: Sequence[Succession] = SUCCESSIONS,
) -> tuple[Finding, ...]:
    """Everything that is wrong with the schemas of a folder and with these topics; none when all is well.

    Raises `Fatal` for a file that is no schema.
    """
    damaged = tuple(damages(index, released))
    if damaged:
        return damaged  # what is held against a damaged release would only mislead
    current = {name: parsed(schema) for name, schema in catalogue.travelling(topics.values(), avro).items()}
    wrong = (
        *(Finding("flaw", name, flaw.sentence, flaw.fix) for name in current for flaw in flaws(current[name])),
        *records.breaks(current, topics, index),
        *records.vanished(current, topics, index, today),
        *promises.changed(topics, index, today),
        *promises.unfinished(topics, successions),
    )
    told = {name for finding in wrong for name in (finding.subject, *finding.versions)}
    due = (*records.unreleased(current, index), *promises.unreleased(topics, index))
    return *wrong, *(finding for finding in due if finding.subject not in told)
