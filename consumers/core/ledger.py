"""What is known of each action: how it stands, and how often it was attempted. Rebuilt from the actions' own topic.

Invariants
- An action that ended never starts again, unless a person asked for it anew after it was given up: then a round begins that the events of
  the rounds before do not touch. Attempts are counted over restarts, so that one which brings the process down is given up in the end.
- What a person decided ends it for good, and nobody has to be told of it any more.
- An attempt without a recorded outcome is known as such: whether it had its effect, only the target can tell.
- Folding the same events twice, or in another order, changes nothing.
"""

import sys
from dataclasses import dataclass, field
from datetime import datetime

from schemas.records import Action

ENDED = frozenset({"succeeded", "abandoned", "uncertain", "suppressed", "overridden"})
GIVEN_UP = frozenset({"abandoned", "uncertain"})
STEPS = ("requested", "attempted", "failed")
FOR_GOOD = sys.maxsize
"""The round in which ends what is never asked for again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The last step known of an action that has not ended.

    `first` is the number of the round's first attempt; `due` is when the next attempt may be made, where that was recorded.
    """

    first: int
    attempt: int
    step: int
    due: datetime | None

    @property
    def open(self) -> bool:
        """True where an attempt was begun and nobody recorded how it ended."""
        return STEPS[self.step] == "attempted"

    @property
    def made(self) -> int:
        """The number of the last attempt that was begun."""
        return self.first - 1 if STEPS[self.step] == "requested" else self.attempt


@dataclass(slots=True)
class Ledger:
    """Actions that ended, each with its round; the reasons of those that were given up; and the standing of those that did not end."""

    ended: dict[str, int] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)
    under_way: dict[str, Standing] = field(default_factory=dict)

    def fold(self, action: Action) -> None:
        """Take in one event of an action."""
        identity, status, first = action["action_id"], action["status"], action["first_attempt"]
        if status == "overridden":
            self.end(identity)
        elif status in ENDED and first > self.ended.get(identity, 0) and first >= self._round(identity):
            self.ended[identity] = first
            self.under_way.pop(identity, None)
            if status in GIVEN_UP:
                self.given_up[identity] = action["detail"] or ""
        elif status in STEPS and first > self.ended.get(identity, 0):
            step = Standing(first, action["attempt"], STEPS.index(status), action["due_at"])
            known = self.under_way.get(identity)
            if known is None or (step.first, step.attempt, step.step) > (known.first, known.attempt, known.step):
                self.begin(identity, step)

    def begin(self, action_id: str, standing: Standing) -> None:
        """The action is under way, and stands so."""
        self.under_way[action_id] = standing
        self.ended.pop(action_id, None)
        self.given_up.pop(action_id, None)

    def end(self, action_id: str) -> None:
        """The action never starts again."""
        self.ended[action_id] = FOR_GOOD
        self.under_way.pop(action_id, None)
        self.given_up.pop(action_id, None)

    def again(self, action_id: str, first: int) -> None:
        """A person asked for it anew, from this attempt on. Nothing changes where that is known, or where it ended for good."""
        if first > max(self.ended.get(action_id, 0), self._round(action_id)):
            self.begin(action_id, Standing(first, first, STEPS.index("requested"), None))

    def _round(self, action_id: str) -> int:
        known = self.under_way.get(action_id)
        return 0 if known is None else known.first
