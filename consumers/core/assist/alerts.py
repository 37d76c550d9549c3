"""What the rules think of an alert: how urgent it is among its like, and what it says in a sentence.

The priority is that of the severity, moved where the money is far from what alerts of the rule are usually about (median and MAD).
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal

from consumers.core.assist.ideas import Idea
from consumers.core.assist.robust import unusual
from consumers.core.conditions import amount
from consumers.core.plain import number
from schemas.records import AlertEvent

BASE = {"critical": Decimal("0.8"), "warning": Decimal("0.6"), "notice": Decimal("0.4"), "info": Decimal("0.2")}
STEP = Decimal("0.2")
ENOUGH, KEPT = 5, 200
FAR = Decimal(3)
PLACES = 3
"""Of a figure in a sentence."""


@dataclass(slots=True)
class Alerts:
    """What alerts of each rule were about, the newest of them."""

    _amounts: dict[str, deque[Decimal]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=KEPT)))

    def take(self, event: AlertEvent) -> list[Idea]:
        """Take in an event of an alert; what is thought of one that was raised."""
        current = event["current"]
        if current["status"] != "raised":
            return []
        money, usual = amount(current), self._amounts[current["rule"]]
        ideas = [_priority(event, money, list(usual)), _summary(event)]
        if money is not None:
            usual.append(money)
        return ideas


def _priority(event: AlertEvent, money: Decimal | None, usual: list[Decimal]) -> Idea:
    current = event["current"]
    score, why = BASE.get(current["severity"], Decimal("0.2")), f"it is {current['severity']}"
    if money is not None and len(usual) >= ENOUGH:
        far = unusual(money, usual, least=max(abs(money) / 100, Decimal(1)))
        if abs(far) > FAR:
            score += STEP if far > 0 else -STEP
            why += f", and the money is unusually {'high' if far > 0 else 'low'} for {current['rule']}"
    word = "high" if score >= Decimal("0.7") else "normal" if score >= Decimal("0.4") else "low"
    return Idea(
        kind="priority",
        basis=current["alert_id"],
        text=f"Priority {word}: {why}.",
        score=min(max(score, Decimal(0)), Decimal(1)),
        cause=event["meta"],
        alert_id=current["alert_id"],
        evidence={"severity": current["severity"], **({} if money is None else {"amount": number(money)})},
    )


def _summary(event: AlertEvent) -> Idea:
    current = event["current"]
    value = "" if current["value"] is None else f" at {number(round(current['value'], PLACES))}"
    line = "" if current["threshold"] is None else f", the line is {number(round(current['threshold'], PLACES))}"
    return Idea(
        kind="summary",
        basis=current["alert_id"],
        text=f"{current['rule']} crossed {current['level']}{value}{line}; {current['owner']} owns the remedy.",
        score=None,
        cause=event["meta"],
        alert_id=current["alert_id"],
    )
