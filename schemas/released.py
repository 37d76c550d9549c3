"""The released versions of every record: frozen files, their numbers, and the topics they were promised on.

`avro/released/<record>/<version>.avsc` is a schema as it travels: whole, with everything it refers to inside. `index.json` next to
them says of each version

    id       the number in the wire format; given once, over all records and for ever
    shape    SHA-256 of the schema's Parsing Canonical Form: what a reader needs to find its way through the bytes
    content  SHA-256 of the file: it changes with a single letter of a comment

and of each topic its record, its kind of key, whether it is public, and the day on which its promise ends, if one is set.
Nothing in it is ever edited or taken out but by `burnline schemas release`, which only adds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

from schemas.errors import Fatal

RELEASED_FOLDER = Path(__file__).parent / "avro" / "released"
INDEX = "index.json"
ROWS_OF = "rows of "
"""How a topic names its record when it holds every record of a namespace: `rows of burnline.internal`."""


def carries(declared: str, record: str) -> bool:
    """Whether a record travels on a topic that declares this as its record."""
    return declared in {record, ROWS_OF + record.rpartition(".")[0]}


@dataclass(frozen=True)
class Release:
    """One frozen version of a record."""

    record: str
    number: int
    wire_id: int
    shape: str
    content: str
    path: Path

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The schema as it stands in its file: whole, not yet parsed. Raises `Fatal` when the file is gone or no JSON."""
        try:
            return cast("dict[str, Any]", json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise Fatal(f"{self} cannot be read: {error}", remedy="restore the file: a release is for ever") from error

    def __str__(self) -> str:
        """Record and version, as people say it."""
        return f"{self.record} version {self.number}"


@dataclass(frozen=True, slots=True)
class ReleasedTopic:
    """What was promised of a topic."""

    name: str
    record: str
    key: str
    public: bool
    sunset: date | None = None


@dataclass(frozen=True)
class Index:
    """All that was released, from one folder. Versions of a record stand in their order."""

    releases: Mapping[str, tuple[Release, ...]] = field(default_factory=dict)
    topics: Mapping[str, ReleasedTopic] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[int, Release]:
        """Each release by its number in the wire format."""
        return {release.wire_id: release for versions in self.releases.values() for release in versions}


def read_index(folder: Path) -> Index:
    """What was released into a folder; nothing, if there is no index. Raises `Fatal` for an index that cannot be read."""
    path = folder / INDEX
    return parse_index(path.read_text(encoding="utf-8"), folder) if path.is_file() else Index()


def parse_index(text: str, folder: Path) -> Index:
    """The index of a folder from its text. Raises `Fatal` for a text that is none."""
    try:
        found = json.loads(text)
        releases = {
            record: tuple(_release(record, version, folder) for version in versions)
            for record, versions in found["records"].items()
        }
        topics = {name: _topic(name, topic) for name, topic in found["topics"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Fatal(
            f"{folder / INDEX} is no index of releases: {error!r}", remedy="restore it from version control"
        ) from error
    return Index(releases, topics)


def _release(record: str, version: Mapping[str, Any], folder: Path) -> Release:
    number = version["version"]
    path = folder / record / f"{number}.avsc"
    return Release(record, number, version["id"], version["shape"], version["content"], path)


def _topic(name: str, topic: Mapping[str, Any]) -> ReleasedTopic:
    sunset = date.fromisoformat(topic["sunset"]) if "sunset" in topic else None
    return ReleasedTopic(name, topic["record"], topic["key"], topic["public"], sunset)


def index_text(index: Index) -> str:
    """The index as its file has it: sorted, so that two additions meet in different lines."""
    records = {
        record: [
            {"version": r.number, "id": r.wire_id, "shape": r.shape, "content": r.content}
            for r in index.releases[record]
        ]
        for record in sorted(index.releases)
    }
    topics = {
        name: {"record": topic.record, "key": topic.key, "public": topic.public}
        | ({"sunset": topic.sunset.isoformat()} if topic.sunset else {})
        for name, topic in sorted(index.topics.items())
    }
    return json.dumps({"records": records, "topics": topics}, indent=2, ensure_ascii=False) + "\n"


@cache
def index() -> Index:
    """What this program was built with."""
    return read_index(RELEASED_FOLDER)


def released(record: str) -> tuple[Release, ...]:
    """Every version of a record, the newest last; none for a record that never travelled."""
    return index().releases.get(record, ())


def by_id(wire_id: int) -> Release | None:
    """The release that a number in the wire format stands for."""
    return index().by_id.get(wire_id)
