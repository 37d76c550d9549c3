"""What is wrong with a policy file: each finding with its line, its cause, and what to do.

A file is a configuration with a section `actions`, or that section alone. What `consumers.actions` refuses when it starts is found here,
all of it at once; beside that, what would be read and would never do what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from consumers.core.addresses import Network, why_not_called
from consumers.core.directory import Directory
from consumers.core.letter_alerts import RULE as LETTERS
from consumers.core.policy import APPROVALS, Policy
from consumers.core.targets import Target
from infra.config import SECTIONS
from infra.yaml_lines import Lines
from schemas.topics import PROCESSORS

SECTION = "actions"
FAMILIES = (*(f"{processor.replace('-', '_')}." for processor in PROCESSORS), APPROVALS, LETTERS)
"""What the rules of alerts begin with."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: the line (from 1) in the file, the place by keys, the cause, and what to do."""

    line: int
    place: str
    cause: str
    remedy: str


def check(text: str, directory: Directory | None = None, allowed: Sequence[Network] = ()) -> list[Finding]:
    """Everything wrong with the text of a policy file, in the order of its lines; nothing where it is right.

    `directory` tells who has left, where it is known; private addresses may be called in the networks that are `allowed`.
    """
    try:
        lines, content = Lines(text), yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        return [Finding(line, "", f"it is no YAML: {getattr(error, 'problem', error)}", "mend the line")]
    found = [
        Finding(line, key, f"the key {key} stands there twice, and only the last would count", "leave one of them")
        for line, key in lines.twice()
    ]
    if not isinstance(content, dict):
        return [*found, Finding(1, "", "it holds no policy", "write `rules:` and a rule, or `actions:` and its rules")]
    prefix = (SECTION,) if set(content) & set(SECTIONS) else ()
    policy = content.get(SECTION) or {} if prefix else content
    try:
        read = TypeAdapter(Policy).validate_python(policy)
    except ValidationError as error:
        found += [_told(lines, prefix, one) for one in error.errors()]
    else:
        found += _never_meant(lines, prefix, read, directory or Directory())
        found += _not_called(lines, prefix, read, allowed)
    return sorted(found, key=lambda finding: finding.line)


def _told(lines: Lines, prefix: Sequence[str], error: ErrorDetails) -> Finding:
    message = error["msg"].removeprefix("Value error, ")
    way = (*prefix, *error["loc"])
    line = lines.of(way, message.split(":")[0].split(" ")[0])
    place = ".".join(str(part) for part in way)
    kind = error["type"]
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        return Finding(line, place, f"{way[-1]}: there is no such key", "correct the name, or remove it")
    if kind == "missing":
        return Finding(line, place, f"{way[-1]}: it is needed, and not there", f"write `{way[-1]}:`")
    if kind.startswith("union_tag"):
        return Finding(line, place, f"target: {message}", "name a target there is")
    return Finding(line, place, message, "mend the value, or remove it to take the default")


def _never_meant(lines: Lines, prefix: Sequence[str], policy: Policy, directory: Directory) -> Iterator[Finding]:
    """What can be read and would not do what was meant."""
    for place, rule in enumerate(policy.rules):
        if not _may_match(rule.when.rule):
            way: tuple[str | int, ...] = (*prefix, "rules", place, "when", "rule")
            yield Finding(
                lines.of(way),
                _place(*way),
                f"no alert is of a rule like {rule.when.rule}: the rule {rule.name} would never speak",
                f"rules begin with {', '.join(FAMILIES)}",
            )
    for name, person in policy.people.items():
        if directory.has_left(person.employee):
            yield Finding(
                lines.of((*prefix, "people", name)),
                _place(*prefix, "people", name),
                f"{name} is employee {person.employee}, who has left",
                "name somebody who is here",
            )


def _not_called(lines: Lines, prefix: Sequence[str], policy: Policy, allowed: Sequence[Network]) -> Iterator[Finding]:
    """Addresses that will not be called, as far as they can be told without asking anybody."""
    for place, rule in enumerate(policy.rules):
        targets: list[tuple[tuple[str | int, ...], Target]] = [
            ((*prefix, "rules", place, "then", number), target) for number, target in enumerate(rule.then)
        ]
        for step, following in enumerate(rule.escalation):
            path: tuple[str | int, ...] = (*prefix, "rules", place, "escalation", step, "then")
            targets += [((*path, number), target) for number, target in enumerate(following.then)]
        for way, target in targets:
            url = getattr(target, "url", None)
            parts = urlsplit(url or "")
            host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
            try:
                why = why_not_called(host, allowed, encrypted=parts.scheme == "https") if host else None
            except ValueError:  # a name: whoever calls it looks at the address behind it
                why = None if parts.scheme == "https" or allowed else f"{host} would be called without encryption"
            if why is not None:
                yield Finding(
                    lines.of((*way, "url")),
                    _place(*way, "url"),
                    f"{url} is not called: {why}",
                    "write a public address with https, or allow its network: BURNLINE_ACTIONS__ALLOWED_NETWORKS",
                )


def _may_match(glob: str) -> bool:
    """Whether a glob can match a rule of any measure, or a request for approval."""
    head = re.split(r"[*?\[]", glob, maxsplit=1)[0]
    return any(family.startswith(head) or head.startswith(family) for family in FAMILIES)


def _place(*parts: str | int) -> str:
    return ".".join(map(str, parts))
