"""The Avro files: found, parsed, and numbered.

A schema file is named after its record's full name and may refer to other files by theirs. The number of a schema is
what travels in the Confluent wire format; each release has its own (`schemas.released`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, cast

from fastavro.schema import load_schema

from schemas import released
from schemas.errors import Fatal
from schemas.freezing import NO_SCHEMA
from schemas.topics import Topic

AVRO_FOLDER = Path(__file__).parent / "avro"


@cache
def load(full_name: str, folder: Path = AVRO_FOLDER) -> dict[str, Any]:
    """The parsed schema of a record as it is now, with everything it refers to inside.

    Raises `FileNotFoundError` for a name without a file, `Fatal` for a file that is no schema.
    """
    path = folder / f"{full_name}.avsc"
    if not path.is_file():
        raise FileNotFoundError(f"no schema named {full_name}: {path.name} is not in schemas/avro")
    try:
        return cast("dict[str, Any]", load_schema(str(path)))
    except NO_SCHEMA as error:
        raise Fatal(f"{full_name} is no Avro schema: {error}", remedy=f"mend {path.name} in schemas/avro") from error


@cache
def ids() -> dict[str, int]:
    """Number of the newest release of each schema that travels on its own, by full name."""
    return {record: versions[-1].wire_id for record, versions in released.index().releases.items()}


def travelling(topics: Iterable[Topic], folder: Path = AVRO_FOLDER) -> dict[str, Any]:
    """The schemas that travel on their own, by full name: those of topics, and the rows that topics of rows hold.

    Raises `Fatal` for a topic whose record has no file, and for a file that is no schema.
    """
    declared = {topic.record for topic in topics}
    files = {path.stem for path in folder.glob("*.avsc")}
    rows = {name for name in files if any(released.carries(record, name) for record in declared)}
    named = {record for record in declared if not record.startswith(released.ROWS_OF)}
    if missing := named - files:
        what = ", ".join(sorted(missing))
        raise Fatal(
            f"no schema for {what}, which topics declare", remedy="write the file, or correct the topic's record"
        )
    return {name: load(name, folder) for name in sorted(rows | named)}
