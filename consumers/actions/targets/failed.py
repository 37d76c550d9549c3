"""How a target says that it did not do what it was asked for."""

from __future__ import annotations

from consumers.core.retry import Failure


class TargetFailed(Exception):  # noqa: N818  it failed: the taxonomy's word
    """The target did not do it; `failure` says how, and whether another attempt can help."""

    def __init__(self, failure: Failure) -> None:
        """Keep how it failed."""
        super().__init__(failure.reason)
        self.failure = failure
