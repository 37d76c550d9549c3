"""Alerts that are told together. Pure: the same alerts at the same time always make the same groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from consumers.core.directory import Attributes
from consumers.core.policy import Rule
from schemas.records import AlertEvent

ASKED = "asked"


def grouped(
    rule: Rule, waiting: list[AlertEvent], now: datetime, about: Callable[[AlertEvent], Attributes]
) -> Iterator[tuple[list[AlertEvent], str]]:
    """The groups that are complete, with the reason, in the order of their first alerts; without `group`, each alert alone.

    `waiting` is in order of time. A group is complete when its time is over, counted from its first alert, or when it is full.
    """
    if rule.group is None:
        yield from (([alert], ASKED) for alert in waiting)
        return
    alike: dict[tuple[object, ...], list[AlertEvent]] = {}
    for alert in waiting:
        alike.setdefault(tuple(_common(name, alert, about(alert)) for name in rule.group.by), []).append(alert)
    for alerts in alike.values():
        for start in range(0, len(alerts), rule.group.most):
            group = alerts[start : start + rule.group.most]
            full = len(group) == rule.group.most
            if full or now >= group[0]["meta"]["occurred_at"] + rule.group.wait:
                yield group, "the group is full" if full else "the time of the group is over"


def _common(name: str, alert: AlertEvent, about: Attributes) -> object:
    return alert["current"]["rule"] if name == "rule" else getattr(about, name)
