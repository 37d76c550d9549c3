"""What is known of each action: how it stands, and how often it was attempted. Rebuilt from the actions' own topic.

Invariants: an action that ended never starts again; attempts are counted over restarts, so that one which brings the process
down is given up in the end. Folding the same event twice changes nothing.
"""

from dataclasses import dataclass, field

from schemas.records import Action

ENDED = frozenset({"succeeded", "abandoned", "overridden"})


@dataclass(slots=True)
class Ledger:
    """Ids of actions that ended, and the attempts of those that did not."""

    ended: set[str] = field(default_factory=set)
    attempts: dict[str, int] = field(default_factory=dict)

    def fold(self, action: Action) -> None:
        """Take in one event of an action."""
        identity = action["action_id"]
        if action["status"] in ENDED:
            self.ended.add(identity)
            self.attempts.pop(identity, None)
        elif identity not in self.ended:
            self.attempts[identity] = max(action["attempt"], self.attempts.get(identity, 0))

    def knows(self, action_id: str) -> bool:
        """True for an action that was requested and has not ended."""
        return action_id in self.attempts
