"""What the firm decides about capture: what counts as approved time, what is a dispute, where a cost budget stands.

The section `capture` of the configuration file. Every field has a default that works on a plain Odoo Community.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

_STRICT: dict[str, Any] = {"extra": "forbid"}
_DISPUTE_WORDS = frozenset({"none", "open", "awaiting_customer", "escalated", "resolved", "withdrawn"})


def _named(value: str, what: str) -> None:
    if not value.isidentifier():
        raise ValueError(f"{what} must be the name of an Odoo field, not {value!r}")


@dataclass(frozen=True, slots=True)
class ApprovedRule:
    """When a timesheet line counts as approved.

    `field` is a field of account.analytic.line. Without `values`, any value but false and empty approves; with them, only
    those of a selection do. `submitted` names the values of the same selection that mean handed in but not decided.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    field: str = "timesheet_invoice_id"
    values: tuple[str, ...] = ()
    submitted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a rule that could never hold, or that says two things of one value."""
        _named(self.field, "approved.field")
        if set(self.values) & set(self.submitted):
            raise ValueError("approved.values and approved.submitted must not share a value")


@dataclass(frozen=True, slots=True)
class DisputeRule:
    """When a client's invoice is contested.

    A posted customer invoice is, while Odoo says `payment_state = blocked` (unless `blocked` is false), or while the
    firm's own selection `state_field` says so; the latter decides where it has a value. `states` translates that
    selection's values into none, open, awaiting_customer, escalated, resolved or withdrawn.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    blocked: bool = True
    state_field: str = "x_dispute_state"
    date_field: str = "x_dispute_date"
    amount_field: str = "x_dispute_amount"
    reason_field: str = "x_dispute_reason"
    states: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse unknown words and names that are none."""
        for name in ("state_field", "date_field", "amount_field", "reason_field"):
            _named(getattr(self, name), f"dispute.{name}")
        unknown = sorted(set(self.states.values()) - _DISPUTE_WORDS)
        if unknown:
            raise ValueError(f"dispute.states: {', '.join(unknown)} is none of {', '.join(sorted(_DISPUTE_WORDS))}")

    def word(self, value: object) -> str:
        """What a value of the selection means; `none` for no value and for one nobody explained."""
        if not isinstance(value, str) or not value:
            return "none"
        word = self.states.get(value, value)
        return word if word in _DISPUTE_WORDS else "none"


@dataclass(frozen=True, slots=True)
class CapturePolicy:
    """All of it.

    The cost budget and the type are fields of project.project, the tier one of res.partner, the required skills a many2many from
    project.task to hr.skill; none by default. A task or an order with one of `change_request_tags` is a change request; case does not count.
    `without` names optional fields to do without, like `account.analytic.line.so_line`: a field that was read and is there no more turns off its mapping
    until it is named here.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    approved: ApprovedRule = field(default_factory=ApprovedRule)
    dispute: DisputeRule = field(default_factory=DisputeRule)
    cost_budget_field: str | None = None
    project_type_field: str | None = None
    client_tier_field: str | None = None
    required_skills_field: str | None = None
    change_request_tags: tuple[str, ...] = ("Change Request",)
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names that are none."""
        for name in ("cost_budget_field", "project_type_field", "client_tier_field", "required_skills_field"):
            if (value := getattr(self, name)) is not None:
                _named(value, name)
        for name in self.without:
            model, _, last = name.rpartition(".")
            if not model:
                raise ValueError(
                    f"without names fields with their models, like account.analytic.line.so_line, not {name!r}"
                )
            _named(last, "without")
        if not all(tag.strip() for tag in self.change_request_tags):
            raise ValueError("change_request_tags holds a tag without a name")

    def is_change_request_tag(self, name: str) -> bool:
        """Whether a tag of this name makes a change request."""
        return name.strip().casefold() in {tag.strip().casefold() for tag in self.change_request_tags}
