"""What is known of each action: how it stands, and how often it was attempted. Rebuilt from the actions' own topic.

Invariants
- An action that ended never starts again; attempts are counted over restarts, so that one which brings the process down is given up in
  the end.
- An attempt without a recorded outcome is known as such: whether it had its effect, only the target can tell.
- Folding the same events twice, or in another order, changes nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime

from schemas.records import Action

ENDED = frozenset({"succeeded", "abandoned", "uncertain", "suppressed", "overridden"})
GIVEN_UP = frozenset({"abandoned", "uncertain"})
STEPS = ("requested", "attempted", "failed")


@dataclass(frozen=True, slots=True)
class Standing:
    """The last step known of an action that has not ended. `due` is when the next attempt may be made, where that was recorded."""

    attempt: int
    step: int
    due: datetime | None

    @property
    def open(self) -> bool:
        """True where an attempt was begun and nobody recorded how it ended."""
        return STEPS[self.step] == "attempted"


@dataclass(slots=True)
class Ledger:
    """Ids of actions that ended, with the reasons of those that were given up, and the standing of those that did not end."""

    ended: set[str] = field(default_factory=set)
    given_up: dict[str, str] = field(default_factory=dict)
    under_way: dict[str, Standing] = field(default_factory=dict)

    def fold(self, action: Action) -> None:
        """Take in one event of an action."""
        identity, status = action["action_id"], action["status"]
        if status in GIVEN_UP and identity not in self.ended:
            self.given_up[identity] = action["detail"] or ""
        if status in ENDED:
            self.end(identity)
        elif status in STEPS and identity not in self.ended:
            step = Standing(action["attempt"], STEPS.index(status), action["due_at"])
            known = self.under_way.get(identity)
            if known is None or (step.attempt, step.step) > (known.attempt, known.step):
                self.under_way[identity] = step

    def end(self, action_id: str) -> None:
        """The action never starts again."""
        self.ended.add(action_id)
        self.under_way.pop(action_id, None)
