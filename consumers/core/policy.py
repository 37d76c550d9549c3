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

import string
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from schemas.records import AlertEvent

SEVERITIES = ("info", "notice", "warning", "critical")
PLACEHOLDERS = frozenset({"rule", "level", "severity", "status", "subject", "value", "threshold", "as_of", "owner"})
_FORBID: dict[str, object] = {"extra": "forbid"}
_OF_ACTIVITY = {"activity_type", "summary", "user", "deadline_days"}
_OF_WEBHOOK = {"url", "secret"}


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
class Target:
    """One action to take.

    odoo_activity  an activity on the subject's record, closed when the alert clears: `activity_type` (an external id), `summary`
                   (with $placeholders), `user` (a login, or `responsible` for the one the record names), `deadline_days`
    webhook        a signed POST of the alert to `url`; `secret` names one of the settings' webhook secrets
    log            a line in the log
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _FORBID
    target: Literal["odoo_activity", "webhook", "log"]
    name: str | None = None
    activity_type: str | None = None
    summary: str | None = None
    user: str | None = None
    deadline_days: int | None = None
    url: str | None = None
    secret: str | None = None

    @property
    def label(self) -> str:
        """Its name within its rule."""
        return self.name or self.target

    def __post_init__(self) -> None:
        """Refuse what does not belong to this target, what is missing, and what makes no sense."""
        allowed = {"odoo_activity": _OF_ACTIVITY, "webhook": _OF_WEBHOOK, "log": set[str]()}[self.target]
        foreign = sorted(key for key in (_OF_ACTIVITY | _OF_WEBHOOK) - allowed if getattr(self, key) is not None)
        if foreign:
            raise ValueError(f"{', '.join(foreign)} means nothing to the target {self.target}")
        if self.target == "webhook":
            self._check_webhook()
        if self.deadline_days is not None and self.deadline_days < 0:
            raise ValueError("deadline_days is negative")
        unknown = set(string.Template(self.summary or "").get_identifiers()) - PLACEHOLDERS
        if unknown:
            raise ValueError(f"summary: ${min(unknown)} is no placeholder; there is {', '.join(sorted(PLACEHOLDERS))}")

    def _check_webhook(self) -> None:
        if not self.url or not self.secret:
            raise ValueError("a webhook needs url and secret")
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise ValueError("url is no http or https address without a password in it")


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
