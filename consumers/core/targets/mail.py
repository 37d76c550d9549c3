"""A mail about the alert. All mails about one alert make one conversation.

- {target: mail, to: [controlling@example.com], subject: "$rule at $level"}
"""

from dataclasses import dataclass
from typing import Literal

from consumers.core.targets.common import HEADLINE, Common, check_text, facts, filled, words
from schemas.records import AlertEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail(Common):
    """`to` has the addresses, `subject` may have $placeholders."""

    target: Literal["mail"] = "mail"
    to: tuple[str, ...]
    subject: str = HEADLINE

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        Common.__post_init__(self)
        check_text("subject", self.subject)
        if not self.to:
            raise ValueError("to names nobody")
        for address in self.to:
            user, at, host = address.partition("@")
            if (
                not user
                or not at
                or not host
                or not address.isascii()
                or any(not c.isprintable() or c in " ,;<>" for c in address)
            ):
                raise ValueError(f"{address!r} is no mail address")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's headers and text. `message_id` is made from the action, `thread_id` from the alert."""

    message_id: str
    thread_id: str
    subject: str
    text: str


def letter(target: Mail, alert: AlertEvent, action_id: str, thread: str, domain: str) -> Letter:
    """The mail for an alert, with ids under the sender's `domain`. The same action gives the same mail."""
    told = words(alert)
    lines = [f"{told['rule']}: {told['status']} at {told['level']} ({told['severity']})", f"Subject: {told['subject']}"]
    lines += [f"{name}: {text}" for name, text in facts(alert).items()]
    return Letter(
        message_id=f"<{action_id}@{domain}>",
        thread_id=f"<{thread}@{domain}>",
        subject=" ".join(filled(target.subject, alert).split()),
        text="\n".join(lines) + "\n",
    )
