"""Releasing: what is frozen next, and under which numbers.

A release is only ever added. The files are written first and the index last, so that a release which was interrupted is no release,
and can be made again.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.freezing import content_of, parsed, promise_of, shape_of, text_of
from schemas.gate import promised
from schemas.released import INDEX, Index, Release, ReleasedTopic, carries, index_text
from schemas.shapes import names_of
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be frozen: new releases with the text of their files, and topics as they are promised from now on."""

    releases: tuple[tuple[Release, str], ...]
    topics: tuple[ReleasedTopic, ...]


def plan(
    current: Mapping[str, Any],
    topics: Mapping[str, Topic],
    index: Index,
    folder: Path,
    only: Collection[str] = (),
) -> Plan:
    """The releases that are due, with the next free numbers: of these records, what travels inside them, and their topics; or of all.

    `current` has the schemas whole, words included, by full name.
    """
    only = {inner for name in only for inner in names_of(current[name])}
    due = [name for name, schema in current.items() if (not only or name in only) and _differs(name, schema, index)]
    following = max(index.by_id, default=0) + 1
    releases = tuple(
        _frozen(name, current[name], len(index.releases.get(name, ())) + 1, wire_id, folder)
        for wire_id, name in enumerate(sorted(due), start=following)
    )
    promises = [promised(topic) for topic in topics.values() if not only or any(carries(topic.record, n) for n in only)]
    return Plan(releases, tuple(topic for topic in promises if index.topics.get(topic.name) != topic))


def _differs(name: str, schema: Any, index: Index) -> bool:
    versions = index.releases.get(name, ())
    return not versions or promise_of(parsed(versions[-1].schema)) != promise_of(parsed(schema))


def _frozen(name: str, schema: Any, number: int, wire_id: int, folder: Path) -> tuple[Release, str]:
    text = text_of(schema)
    path = folder / name / f"{number}.avsc"
    return Release(name, number, wire_id, shape_of(schema), content_of(text), path), text


def write(made: Plan, index: Index, folder: Path) -> Index:
    """Freeze a plan into the folder of its index, and return the new index."""
    for release, text in made.releases:
        release.path.parent.mkdir(parents=True, exist_ok=True)
        release.path.write_text(text, encoding="utf-8")
    releases = dict(index.releases)
    for release, _ in made.releases:
        releases[release.record] = (*releases.get(release.record, ()), release)
    after = Index(releases, {**index.topics, **{topic.name: topic for topic in made.topics}})
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{INDEX}.new"
    draft.write_text(index_text(after), encoding="utf-8")
    os.replace(draft, folder / INDEX)  # noqa: PTH105  at once: half an index would be none
    return after
