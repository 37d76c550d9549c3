"""The automation rules by which Odoo tells at once what changed: which there should be, and how that differs from what there is. Pure.

Rules
- Two for each captured model: a record was created or a field that matters was written, and a record was deleted. Without a list of fields one
  create posts a dozen times.
- Our rules are known by their names, which begin with `PREFIX`; no other is looked at, changed or removed.
- A post carries no values: it is a hint to read the record again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from producers.core.mapping import ModelMapping

PREFIX = "Burnline: "
_TRIGGERS = {"on_create_or_write": "saved", "on_unlink": "deleted"}
_STAMPS = frozenset({"id", "create_date", "write_date", "create_uid", "write_uid"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as far as it concerns us. Without `fields` every field counts."""

    model: str
    trigger: str
    fields: frozenset[str]
    url: str
    active: bool = True

    @property
    def name(self) -> str:
        """What it is called, and known by."""
        return f"{PREFIX}{self.model} {_TRIGGERS[self.trigger]}"


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that Odoo has under one of our names: its id, and what it is, None where no rule of ours is like it."""

    rule_id: int
    name: str
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do: what `rule` becomes, or which rule goes; and why."""

    action: Literal["create", "mend", "remove"]
    name: str
    why: str
    rule: Rule | None = None
    rule_id: int | None = None


def read_fields(mappings: Iterable[ModelMapping]) -> dict[str, frozenset[str]]:
    """The fields that the mappings read of each model whose changes concern them; none where all of them count."""
    found: dict[str, frozenset[str]] = {}
    for mapping in mappings:
        own = frozenset((*mapping.needed, *mapping.optional)) - _STAMPS
        found[mapping.model] = found.get(mapping.model, frozenset()) | own
        lines = {child.model: {child.parent, *child.fields, *child.optional} for child in mapping.children}
        for follow in mapping.follows:
            found[follow.model] = frozenset(lines.get(follow.model, ()))
    return found


def wanted(fields: Mapping[str, Collection[str]], stored: Mapping[str, Collection[str]], url: str) -> list[Rule]:
    """The rules there should be, for the models that this Odoo has: `stored` are the stored fields of each."""
    return [
        rule
        for model in sorted(set(fields) & set(stored))
        for rule in (
            Rule(model, "on_create_or_write", frozenset(fields[model]) & frozenset(stored[model]), url),
            Rule(model, "on_unlink", frozenset(), url),
        )
    ]


def changes(rules: Sequence[Rule], found: Iterable[Found]) -> list[Change]:
    """What makes the rules that there are those that there should be; nothing where they are."""
    there: dict[str, Found] = {}
    todo = []
    by_name = {rule.name: rule for rule in rules}
    for one in found:
        if one.name in there:
            todo.append(Change("remove", one.name, "it is there twice", rule_id=one.rule_id))
        elif one.name not in by_name:
            todo.append(Change("remove", one.name, "nothing of the model is captured", rule_id=one.rule_id))
        else:
            there[one.name] = one
    for name, rule in by_name.items():
        if name not in there:
            todo.append(Change("create", name, "it is not there", rule))
        elif why := _difference(rule, there[name].rule):
            todo.append(Change("mend", name, why, rule, there[name].rule_id))
    return todo


def _difference(rule: Rule, found: Rule | None) -> str:
    if found is None:
        return "it does something else"
    reasons = {
        "it is switched off": found.active != rule.active,
        "it posts to another address": found.url != rule.url,
        "it watches other fields": found.fields != rule.fields,
        "it is another trigger": found.trigger != rule.trigger,
    }
    return ", ".join(reason for reason, differs in reasons.items() if differs)
