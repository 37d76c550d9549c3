"""Whether what was frozen is still what it was: by its fingerprints, and by an earlier state of the index."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from schemas.errors import Fatal
from schemas.freezing import content_of, shape_of
from schemas.gate.finding import Finding
from schemas.released import INDEX, Index, Release


def damages(index: Index, folder: Path) -> Iterator[Finding]:
    """Where frozen files and their index disagree."""
    known = {folder / INDEX}
    for record, versions in index.releases.items():
        for release in versions:
            known.add(release.path)
            if why := _damage(release):
                fix = "restore it from version control; what was released stays as it is, a change is a new release"
                yield Finding("edited release", record, f"{release} {why}", fix, {record: (release.number,)})
        if [release.number for release in versions] != list(range(1, len(versions) + 1)):
            sentence = f"the versions of {record} in {INDEX} are not 1 to {len(versions)}, in order"
            yield Finding("edited release", record, sentence, "restore the index from version control")
    for one, other in pairwise(sorted(_all(index), key=lambda release: release.wire_id)):
        if one.wire_id == other.wire_id:
            sentence = f"the number {one.wire_id} was given twice: to {one} and to {other}"
            fix = "take the release that nobody has seen yet back, and release again: numbers are for ever"
            yield Finding("number given twice", other.record, sentence, fix)
    for path in sorted(set(folder.rglob("*.*")) - known):
        if path.is_file():
            sentence = f"{path.relative_to(folder)} is not in {INDEX}"
            yield Finding("stray file", path.parent.name, sentence, "delete it, or restore the index")


def taken_back(before: Index, now: Index) -> Iterator[Finding]:
    """Releases of an earlier state of the index that are not the same any more, though their files may agree with it."""
    for release in _all(before):
        versions = now.releases.get(release.record, ())
        same = [(r.wire_id, r.content) for r in versions if r.number == release.number]
        if same != [(release.wire_id, release.content)]:
            sentence = (
                f"{release} is not what it was when it was released: its file or its entry in {INDEX} was replaced"
            )
            fix = "restore both from version control; what was released stays as it is, a change is a new release"
            yield Finding("edited release", release.record, sentence, fix, {release.record: (release.number,)})


def _damage(release: Release) -> str:
    if not release.path.is_file():
        return f"has lost its file {release.path.name}"
    if content_of(release.path.read_bytes()) != release.content:
        return "was edited: its file is not the one that was frozen"
    try:
        found = shape_of(release.schema)
    except Fatal as error:
        return f"is no schema: {error}"
    return "" if found == release.shape else f"has another shape than {INDEX} says"


def _all(index: Index) -> Iterator[Release]:
    for versions in index.releases.values():
        yield from versions
