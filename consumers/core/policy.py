"""Which alerts lead to which actions, who is asked, and what follows if nobody answers: the section `actions` of the configuration file.

    version: 3
    people:
      delivery-lead: {employee: 12}
    rules:
      - name: overspend
        owner: delivery-operations
        alternates: [delivery-lead]
        when: {rule: "budget_burn.*", severity: warning, client_tier: [gold]}
        then:
          - {target: odoo_activity, summary: "Budget: $rule $level", deadline_days: 2}
        otherwise:
          - {target: mail, to: [delivery-operations@example.com], subject: "Not done: $rule $level"}
        service_level: PT4H
        escalation:
          - {to: operations-lead, after: PT8H, then: [{target: log}]}
          - {freeze: invoicing, after: P1D}
        quiet: {zone: Europe/Brussels, begins: "20:00", ends: "07:00", days: [sat, sun]}
        group: {by: [client], wait: PT30M}
        snooze: PT4H
        dual_control: true

Rules of the policy
- A rule has an owner: what fails for good goes to that team.
- All conditions of `when` must hold; `severity` means at least; `rule` is a glob; without a condition everything matches.
- Names of rules are unique, and names of targets within a rule: the ids of actions are made from them.
- Where an action is given up, or nobody knows whether it was done, the targets under `otherwise` tell the owner; a dead letter is there too.
- A rule that may have to wait, or whose conditions ask for more than the alert says, is for the governor to decide (`needs_governor`);
  all others act as soon as the alert is there.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Literal

from consumers.core.conditions import When, at_least
from consumers.core.quiet import Quiet
from consumers.core.targets import Target

_FORBID: dict[str, object] = {"extra": "forbid"}
NOTHING = timedelta()
APPROVALS = "approval."
"""What the rules begin with under which requests for approval stand next to alerts."""


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that are told together: those alike in all of `by`, as many as come within `wait` of the first, `most` at once."""

    __pydantic_config__: ClassVar[dict[str, object]] = _FORBID
    by: tuple[
        Literal["rule", "client", "project_type", "client_tier", "country", "department", "manager", "company"], ...
    ] = ("rule",)
    wait: timedelta = timedelta(minutes=30)
    most: int = 50

    def __post_init__(self) -> None:
        """Refuse what would tell nothing together."""
        if not self.by:
            raise ValueError("by: name what the alerts of a group have in common")
        _positive("wait", self.wait)
        if not 2 <= self.most <= 200:
            raise ValueError(f"most: {self.most} is not from 2 to 200")


@dataclass(frozen=True, slots=True)
class Step:
    """What follows if whoever was asked before has not answered `after` so long: somebody else is asked, or a step is frozen.

    `to` is a name of the firm, `freeze` the downstream step that must wait. Without `then`, the targets of the rule are used; without
    `after`, its service level.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _FORBID
    to: str = ""
    freeze: str = ""
    after: timedelta | None = None
    then: tuple[Target, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a step that does nothing, or two things."""
        if bool(self.to.strip()) is bool(self.freeze.strip()):
            raise ValueError("to: a step names who is asked next (`to`) or what must wait (`freeze`), one of the two")
        if self.after is not None:
            _positive("after", self.after)
        _unique("targets of a step", [target.label for target in self.then])


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands behind a name of the firm: an employee, by the id of hr.employee. One who has left is passed over."""

    __pydantic_config__: ClassVar[dict[str, object]] = _FORBID
    employee: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do about which alerts, who is asked, in which order, when not, and who owns what fails."""

    __pydantic_config__: ClassVar[dict[str, object]] = _FORBID
    name: str
    owner: str
    then: tuple[Target, ...]
    when: When = field(default_factory=When)
    alternates: tuple[str, ...] = ()
    service_level: timedelta | None = None
    escalation: tuple[Step, ...] = ()
    quiet: Quiet | None = None
    group: Group | None = None
    snooze: timedelta | None = None
    dual_control: bool = False
    otherwise: tuple[Target, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a rule that nobody owns, that does nothing, whose targets cannot be told apart, or that escalates at no time."""
        if not self.name.strip():
            raise ValueError("a rule needs a name")
        if not self.owner.strip():
            raise ValueError(f"the rule {self.name} needs an owner")
        if not self.then:
            raise ValueError(f"the rule {self.name} does nothing: `then` is empty")
        _unique(f"targets of the rule {self.name}", [target.label for target in self.then])
        _unique(f"targets under otherwise of the rule {self.name}", [target.label for target in self.otherwise])
        for name in ("service_level", "snooze"):
            if (span := getattr(self, name)) is not None:
                _positive(name, span)
        if self.service_level is None and (self.alternates or self.escalation):
            late = "alternates" if self.alternates else "escalation"
            raise ValueError(f"{late}: the rule {self.name} escalates, and has no service_level to miss")
        if self.service_level is not None and not self.chain:
            raise ValueError(f"service_level: nobody follows if the owner of the rule {self.name} misses it")
        if "raised" not in self.when.status and (self.service_level or self.waits):
            raise ValueError(f"when: the rule {self.name} waits for an answer, and status leaves raised alerts out")
        _unique(f"names asked by the rule {self.name}", [self.owner, *(step.to for step in self.chain if step.to)])

    @property
    def chain(self) -> tuple[Step, ...]:
        """Who follows the owner, each with its targets and its time: the alternates, then the escalation."""
        level = self.service_level
        steps = (*(Step(to=name) for name in self.alternates), *self.escalation)
        return tuple(Step(step.to, step.freeze, step.after or level, step.then or self.then) for step in steps)

    @property
    def waits(self) -> bool:
        """True where what to do may have to wait."""
        return self.quiet is not None or self.group is not None or self.snooze is not None

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target that it may ever act upon."""
        return (*self.then, *(target for step in self.escalation for target in step.then), *self.otherwise)

    def silent_at(self, severity: str) -> Quiet | None:
        """The quiet hours that hold for an alert so severe."""
        if self.quiet is None or (self.quiet.unless is not None and at_least(severity, self.quiet.unless)):
            return None
        return self.quiet


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules; every rule that matches an alert acts. `version` counts the firm's decisions; `people` stand behind names."""

    __pydantic_config__: ClassVar[dict[str, object]] = _FORBID
    rules: tuple[Rule, ...] = ()
    version: int = 1
    people: dict[str, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse two rules of one name, and people nobody asks."""
        _unique("rules", [rule.name for rule in self.rules])
        asked = {name for rule in self.rules for name in (rule.owner, *(step.to for step in rule.chain))}
        if idle := sorted(self.people.keys() - asked):
            raise ValueError(f"people: no rule asks {idle[0]}")

    def rule(self, name: str) -> Rule | None:
        """The rule of this name, if there is one."""
        return next((rule for rule in self.rules if rule.name == name), None)

    def needs_governor(self, rule: Rule) -> bool:
        """True where the alert alone does not tell whether and when the rule acts."""
        return rule.waits or rule.when.of_subject or rule.owner in self.people


def _positive(name: str, span: timedelta) -> None:
    if span <= NOTHING:
        raise ValueError(f"{name} is not a time longer than nothing, like PT4H")


def _unique(what: str, names: list[Any]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two {what} are called {twice[0]}: give each a name of its own")
