"""Messages in Slack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from consumers.actions.targets.base import Asked, Means
from consumers.actions.targets.chat import ChatTarget
from consumers.core.targets.slack import DONE, Slack, message


def make(asked: Sequence[Asked], means: Means) -> ChatTarget:
    """The target. Raises `Fatal` for a channel without an address."""
    return ChatTarget(asked, means, lambda planned: message(cast("Slack", planned.target), planned.alert), DONE)
