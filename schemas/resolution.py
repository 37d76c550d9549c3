"""How a record is read that names a release: by the schema it was written with, into what the current schema says.

Where both are the same, and that is nearly always, there is nothing to resolve, and reading costs what it costs without.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from fastavro.schema import expand_schema

from schemas import catalogue, released
from schemas.errors import Fatal
from schemas.freezing import canonical, content_of, parsed, promise_of, text_of
from schemas.released import Release


class Reading(NamedTuple):
    """How to read a release of a record: both are whole schemas. `reader` is None where the writer's is what the program expects."""

    name: str
    writer: Any
    reader: Any | None
    wire_id: int


def reading(release: Release) -> Reading:
    """How to read this release. A record that has no schema any more is read as it was written."""
    current = _current(release.record)
    if current is None or is_current(release):
        return Reading(release.record, release.schema if current is None else current, None, release.wire_id)
    return Reading(release.record, release.schema, current, release.wire_id)


@cache
def is_current(release: Release) -> bool:
    """Whether a release promises what the current schema of its record does."""
    current = _current(release.record)
    if current is None:
        return False
    same = content_of(text_of(current)) == release.content  # nearly always, and cheaper
    return same or promise_of(parsed(release.schema)) == promise_of(parsed(current))


@cache
def writing_id(record: str) -> int:
    """The number to write a record under. Raises `Fatal` for a schema that was not released as it is now."""
    newest = released.released(record)[-1:]
    if not newest or not is_current(newest[0]):
        what = f"is no longer its release {newest[0].number}" if newest else "was never released"
        raise Fatal(f"the schema {record} {what}, so nobody could read it", remedy="run `burnline schemas release`")
    return newest[0].wire_id


def members(release: Release) -> list[Release] | None:
    """The releases of the records in a list of records, in the order of its union; None for a schema of another shape.

    Raises `Fatal` for a member that was not released as it stands in the list.
    """
    match expand_schema(canonical(release.schema)):
        case {"fields": [{"type": {"type": "array", "items": list(union)}}]}:
            return [_released_as(member, release) for member in union]
    return None


def _released_as(member: Any, within: Release) -> Release:
    for release in reversed(released.released(member["name"])):
        if promise_of(expand_schema(canonical(release.schema))) == promise_of(member):
            return release
    raise Fatal(
        f"{member['name']} was never released as it stands in {within}",
        remedy="restore schemas/avro/released from version control",
    )


def _current(record: str) -> Any | None:
    try:
        return catalogue.load(record)
    except FileNotFoundError:
        return None
