"""Whether an action that was given up may be asked for anew. Numbered rules; the first that holds decides. Pure.

1. a person decided about it                                          no: it ended for good
2. nothing is known of it                                             no
3. it may have been done, at a target that would do it twice          no: its owner looks
4. the policy has no such rule, or no such target in it               no: nobody would do it
5. it was given up                                                    yes
6. it is under way                                                    no: it may still succeed
7. it succeeded, or is too old                                        no
"""

from __future__ import annotations

from consumers.core.ledger import STEPS
from consumers.core.policy import Policy
from consumers.core.reentry import BY_HAND, Refusal
from schemas.records import ActionEvent

DISCARD = "discard the letter"
_NEVER = {
    "overridden": Refusal("a person decided about its action", DISCARD),
    "unknown": Refusal(
        "nothing is known of its action", "do it by hand if it is still wanted, then discard the letter"
    ),
    "uncertain": Refusal("it may have been done, and its target would do it twice", BY_HAND),
}


def why_not_again(last: ActionEvent | None, policy: Policy, *, decided: bool) -> Refusal | None:
    """Why not; None where it may. `last` is the action's last event, `decided` whether a person decided about it."""
    status = "overridden" if decided else "unknown" if last is None else last["current"]["status"]
    if status in _NEVER or last is None:
        return _NEVER[status]
    named = f"{last['current']['policy']}/{last['current']['target']}"
    rule = policy.rule(last["current"]["policy"])
    if rule is None or last["current"]["target"] not in {target.label for target in rule.targets}:
        return Refusal(
            f"the policy has no {named} any more", "give this command the policy that has it, or discard the letter"
        )
    if status == "abandoned":
        return None
    if status in STEPS:
        return Refusal(f"its action is under way: {status}, attempt {last['current']['attempt']}", "wait how it ends")
    return Refusal(f"its action was {status}" if status == "suppressed" else f"its action has {status}", DISCARD)
