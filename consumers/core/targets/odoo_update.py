"""Fields of the Odoo record that the alert is about, a stage among them, set when it is raised and again when it clears.

- {target: odoo_update, set: {stage_id/id: my_module.stage_at_risk, priority: "1"}, when_cleared: {priority: "0"}}
"""

from dataclasses import dataclass, field
from typing import Literal

from consumers.core.targets.common import Common, check_text, filled
from consumers.core.targets.odoo_record import InOdoo
from schemas.records import AlertEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooUpdate(InOdoo):
    """Values by field, as Odoo's import takes them: `stage_id/id` is an external id, `stage_id/.id` a number, `stage_id` a name.

    Values may have $placeholders. What is set is set again when the alert changes; `when_cleared` says what is set when it clears.
    """

    target: Literal["odoo_update"] = "odoo_update"
    set: dict[str, str]
    when_cleared: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        Common.__post_init__(self)
        if not self.set:
            raise ValueError("set names no field")
        for name, value in (*self.set.items(), *self.when_cleared.items()):
            if name.partition("/")[0] in {"id", ".id", ""}:
                raise ValueError(f"{name} is no field that can be set: the record is the one that the alert is about")
            check_text(name, value)


def values(target: OdooUpdate, alert: AlertEvent) -> dict[str, str]:
    """What to set; nothing where the alert cleared and the policy says nothing of that."""
    wanted = target.when_cleared if alert["current"]["status"] == "cleared" else target.set
    return {name: filled(value, alert) for name, value in wanted.items()}
