"""What messages in a chat have in common.

A chat is outside the firm's books: what the measure says in figures stays out of it unless the policy asks for it.
"""

from dataclasses import dataclass

from consumers.core.targets.common import HEADLINE, Common, check_text, facts, words
from schemas.records import AlertEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat(Common):
    """`channel` names one of the settings' chat addresses, `text` may have $placeholders; `figures` adds those of the measure."""

    channel: str
    text: str = HEADLINE
    figures: bool = False

    @property
    def endpoint(self) -> str:
        """The channel: the address itself is a secret."""
        return f"{self.target} {self.channel}"

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        Common.__post_init__(self)
        check_text("text", self.text)


def told(target: Chat, alert: AlertEvent) -> dict[str, str]:
    """The facts that go along, by name."""
    about = {"Subject": words(alert)["subject"], "Status": words(alert)["status"]}
    all_of_them = facts(alert)
    kept = all_of_them if target.figures else {name: all_of_them[name] for name in ("As of", "Owner", "Runbook")}
    return about | kept
