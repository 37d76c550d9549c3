"""What all targets share: a name within their rule, and texts that are filled from the alert.

Rules
- A text with $placeholders is checked when the policy is read, so that filling it cannot fail.
- The same alert always gives the same text.
"""

import string
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from consumers.core.plain import number
from schemas.records import AlertEvent

PLACEHOLDERS = frozenset(
    {"rule", "level", "severity", "status", "subject", "value", "threshold", "as_of", "owner", "assignee"}
)
HEADLINE = "$rule: $level ($severity)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The settings that every target has: `per_second` is the most calls in a second.

    A target adds `target`, its kind, and refuses in `__post_init__`, after calling this one, what makes no sense.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}
    target: str
    name: str | None = None
    per_second: float | None = None

    @property
    def label(self) -> str:
        """Its name within its rule."""
        return self.name or self.target

    @property
    def endpoint(self) -> str:
        """What is called, for people: all that fails, and is limited, as one. Has no secret in it."""
        return self.target

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.per_second is not None and not self.per_second > 0:
            raise ValueError("per_second is not above 0; leave it out for no limit")


def check_text(field: str, text: str | None) -> None:
    """Raises `ValueError` for a text that could not be filled, naming the field and what is wrong with it."""
    template = string.Template(text or "")
    if not template.is_valid():
        raise ValueError(f"{field}: a $ must stand before a placeholder; write $$ for the sign itself")
    unknown = set(template.get_identifiers()) - PLACEHOLDERS
    if unknown:
        raise ValueError(f"{field}: ${min(unknown)} is no placeholder; there is {', '.join(sorted(PLACEHOLDERS))}")


def check_days(field: str, days: int | None) -> None:
    """Raises `ValueError` for a negative number of days."""
    if days is not None and days < 0:
        raise ValueError(f"{field} is negative")


def check_url(url: str) -> None:
    """Raises `ValueError` for what is no web address, or holds a password, which would be logged."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError("url is no http or https address without a password in it")


def filled(text: str, alert: AlertEvent) -> str:
    """The text with its placeholders replaced."""
    return string.Template(text).substitute(words(alert))


def words(alert: AlertEvent) -> dict[str, str]:
    """What each placeholder stands for."""
    current = alert["current"]
    value, threshold = current["value"], current["threshold"]
    return {
        "rule": current["rule"],
        "level": current["level"],
        "severity": current["severity"],
        "status": current["status"],
        "subject": alert["meta"]["subject"],
        "value": "-" if value is None else number(value),
        "threshold": "-" if threshold is None else number(threshold),
        "as_of": current["as_of"].isoformat(),
        "owner": current["owner"],
        "assignee": current["values"].get("assignee", current["owner"]),
    }


def facts(alert: AlertEvent) -> dict[str, str]:
    """What a person wants to know of an alert, by name, most important first."""
    told, current = words(alert), alert["current"]
    return {
        "Value": told["value"],
        "Line": told["threshold"],
        "As of": told["as_of"],
        **{key.replace("_", " "): text for key, text in sorted(current["values"].items())},
        "Owner": told["owner"],
        "Runbook": current["runbook"],
    }
