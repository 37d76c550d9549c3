"""Ways to look at a parsed Avro schema: its named types, a type behind a reference or a wrapping, a type in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMED = {"record", "enum", "fixed"}


def names_of(schema: Any) -> dict[str, Any]:
    """Every named type inside a schema, by full name."""
    found: dict[str, Any] = {}
    stack = [schema]
    while stack:
        match stack.pop():
            case list(members):
                stack += members
            case {"type": "record" | "enum" | "fixed", "name": name} as named:
                found[name] = named
                stack += [field["type"] for field in named.get("fields", ())]
            case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
                stack.append(inner)
            case {"type": dict() | list() as inner}:
                stack.append(inner)
    return found


def plain(schema: Any, names: Mapping[str, Any]) -> Any:
    """A type as a dictionary, or a union as a list: a reference is looked up, what merely wraps another is unwrapped."""
    match schema:
        case str():
            return names.get(schema, {"type": schema})
        case {"type": dict() | list() as inner}:
            return plain(inner, names)
        case {"type": str(name)} if name in names:
            return names[name]
    return schema


def is_personal(field: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
    """Whether a field is itself about a person; a record inside another tells it of each of its own fields."""
    return field.get("dataClass") == "personal" and not _holds_record(field["type"], names)


def _holds_record(schema: Any, names: Mapping[str, Any]) -> bool:
    found = plain(schema, names)
    members = found if isinstance(found, list) else [found]
    return any(plain(member, names)["type"] == "record" for member in members)


def short_name(named: Mapping[str, Any]) -> str:
    """The name of a named type without its namespace."""
    return str(named["name"]).rpartition(".")[2]


def said(schema: Any) -> str:  # noqa: PLR0911  one return for each kind of Avro type
    """A type in a reader's words."""
    match schema:
        case str():
            return schema.rpartition(".")[2]
        case list():
            return " or ".join(said(member) for member in schema)
        case {"logicalType": "decimal", "type": base, "precision": precision, **rest}:
            return f"decimal({precision}, {rest.get('scale', 0)}) in {base}"
        case {"logicalType": name, "type": base}:
            return f"{name} in {base}"
        case {"type": "array", "items": items}:
            return f"list of {said(items)}"
        case {"type": "map", "values": values}:
            return f"map of {said(values)}"
        case {"type": "record" | "enum" | "fixed" as kind, "name": str(name)}:
            return f"the {kind} {name.rpartition('.')[2]}"
        case {"type": inner}:
            return said(inner)
    return str(schema)
