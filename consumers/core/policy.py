"""Which alerts lead to which actions: the `actions` section of the configuration file.

    rules:
      - name: overspend
        owner: delivery-operations
        when: {rule: "budget_burn.*", severity: warning, status: [raised, cleared]}
        then:
          - {target: odoo_activity, summary: "Budget: $rule $level", deadline_days: 2}
          - {target: webhook, url: "https://n8n.example.com/hook", secret: n8n}

Rules of the policy
- A rule has an owner: what fails for good goes to that team.
- All conditions of `when` must hold; `severity` means at least; `rule` is a glob; without a condition everything matches.
- Names of rules are unique, and names of targets within a rule: the ids of actions are made from them.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar, Literal

from consumers.core.targets import Target
from schemas.records import AlertEvent

SEVERITIES = ("info", "notice", "warning", "critical")
_FORBID: dict[str, object] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a rule; all must hold."""

    __pydantic_config__: ClassVar[dict[str, object]] = _FORBID
    rule: str = "*"
    severity: Literal["info", "notice", "warning", "critical"] = "info"
    status: tuple[Literal["raised", "changed", "cleared"], ...] = ("raised", "changed", "cleared")
    company: int | None = None

    def matches(self, alert: AlertEvent) -> bool:
        """True where the alert meets every condition. An alert of unknown status or severity meets none."""
        current = alert["current"]
        return (
            current["status"] in self.status
            and current["severity"] in SEVERITIES[SEVERITIES.index(self.severity) :]
            and fnmatchcase(current["rule"], self.rule)
            and (self.company is None or self.company == current["company_id"])
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do about which alerts, and who owns what fails."""

    __pydantic_config__: ClassVar[dict[str, object]] = _FORBID
    name: str
    owner: str
    then: tuple[Target, ...]
    when: When = When()

    def __post_init__(self) -> None:
        """Refuse a rule that nobody owns, that does nothing, or whose targets cannot be told apart."""
        if not self.name.strip():
            raise ValueError("a rule needs a name")
        if not self.owner.strip():
            raise ValueError(f"the rule {self.name} needs an owner")
        if not self.then:
            raise ValueError(f"the rule {self.name} does nothing: `then` is empty")
        _unique(f"targets of the rule {self.name}", [target.label for target in self.then])


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules; every rule that matches an alert acts."""

    __pydantic_config__: ClassVar[dict[str, object]] = _FORBID
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two rules of one name."""
        _unique("rules", [rule.name for rule in self.rules])


def _unique(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two {what} are called {twice[0]}: give each a name of its own")
