"""Documents as text: the same for every run and every machine."""

from __future__ import annotations

import json
from typing import Any

import yaml

WIDTH = 140


class _Whole(yaml.SafeDumper):
    """Writes every part out, where PyYAML would point back to a part that it has seen."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the base class decides by the data
        return True


def _text(dumper: _Whole, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Whole.add_representer(str, _text)


def as_yaml(document: Any) -> str:
    """A document as YAML, its keys in the order given."""
    return yaml.dump(document, Dumper=_Whole, sort_keys=False, allow_unicode=True, width=WIDTH)


def compact(value: Any, indent: str = "") -> str:
    """JSON that keeps on one line whatever fits there."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list):
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {compact(item, deeper)}" for key, item in value.items()]
        begin, end = "{", "}"
    else:
        items, begin, end = [compact(item, deeper) for item in value], "[", "]"
    return f"{begin}\n{deeper}" + f",\n{deeper}".join(items) + f"\n{indent}{end}"
