"""The Avro files: found, parsed, and numbered.

A schema file is named after its record's full name and may refer to other files by theirs. The number of a schema is
what travels in the Confluent wire format; numbers stand in `avro/ids.json` and are never given twice.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, cast

from fastavro.schema import load_schema

AVRO_FOLDER = Path(__file__).parent / "avro"


@cache
def load(full_name: str) -> dict[str, Any]:
    """The parsed schema of a record, with everything it refers to inside.

    Raises `FileNotFoundError` for a name without a file.
    """
    path = AVRO_FOLDER / f"{full_name}.avsc"
    if not path.is_file():
        raise FileNotFoundError(f"no schema named {full_name}: {path.name} is not in schemas/avro")
    return cast("dict[str, Any]", load_schema(str(path)))


@cache
def ids() -> dict[str, int]:
    """Number of each schema that travels on its own, by full name."""
    numbers: dict[str, int] = json.loads((AVRO_FOLDER / "ids.json").read_text(encoding="utf-8"))
    return numbers


def without_logical_types(schema: Any, names: frozenset[str] | None = None) -> Any:
    """The same schema with these logical types (all, if none are named) left as their plain types.

    The bytes are the same; only what the decoder makes of them differs.
    """
    match schema:
        case dict():
            drop = "logicalType" in schema and (names is None or schema["logicalType"] in names)
            return {
                key: without_logical_types(value, names)
                for key, value in schema.items()
                if not key.startswith("__") and not (drop and key == "logicalType")
            }
        case list():
            return [without_logical_types(item, names) for item in schema]
    return schema
