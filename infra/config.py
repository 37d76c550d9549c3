"""What a firm decides: thresholds, rules and policies, from one YAML file, each section validated by its own type.

Sections belong to the packages that use them; the pure cores declare them as frozen dataclasses, and this module checks a
file against them. An unknown key or a value out of bounds is an error that names the place, never a silent default.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from infra.errors import Fatal

T = TypeVar("T")
SECTIONS = ("measures", "capture", "actions")


def read_config(path: Path | None) -> dict[str, object]:
    """The file's sections; none without a file. Raises `Fatal` for a file that cannot be read, or an unknown section."""
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise Fatal(
            f"the configuration {path} cannot be read: {error.strerror}", remedy="mend BURNLINE_CONFIG"
        ) from error
    except yaml.YAMLError as error:
        raise Fatal(f"the configuration {path} is no YAML: {error}", remedy="mend the line it names") from error
    if not isinstance(content, dict) or not set(content) <= set(SECTIONS):
        unknown = sorted(set(content) - set(SECTIONS)) if isinstance(content, dict) else [type(content).__name__]
        raise Fatal(f"{path}: unknown section {', '.join(map(str, unknown))}", remedy=f"use {', '.join(SECTIONS)}")
    return content


def section(content: dict[str, object], name: str, kind: type[T]) -> T:
    """One section as its type, defaults filled in. Raises `Fatal` that names the key and what is wrong with it."""
    try:
        return TypeAdapter(kind).validate_python(content.get(name) or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([name, *_path(first, content.get(name))])
        raise Fatal(
            f"configuration {place}: {first['msg']}", remedy="mend the value, or remove it to take the default"
        ) from None


def _path(error: ErrorDetails, content: Any) -> Iterator[str]:
    """Where in the file the error is: pydantic's place also names which of several types was meant, which the file does not."""
    way: tuple[Any, ...] = error["loc"]
    for part in way[:-1]:
        if isinstance(content, list) or (isinstance(content, dict) and part in content):
            content = content[part]
            yield str(part)
    yield from map(str, way[-1:])
    if error["type"].startswith("union_tag"):
        yield error["ctx"]["discriminator"].strip("'")
