"""What counts as done in an HTTP answer: a status, and where the target says more, its words.

- {target: webhook, …, expect: {status: [200, 202], body: '"ok": *true'}}
"""

import re
from dataclasses import dataclass
from typing import ClassVar

READ = 65_536
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Expect:
    """Statuses that mean success (2xx by default), and a regular expression that the body must match somewhere.

    Without one, a page (HTML) is no success whatever its status: it comes from a proxy or a login, not from a receiver.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}
    status: tuple[int, ...] = ()
    body: str | None = None

    def __post_init__(self) -> None:
        """Refuse an expression that is none."""
        try:
            re.compile(self.body or "")
        except re.error as error:
            raise ValueError(f"body is no regular expression: {error}") from None

    def accepts(self, status: int) -> bool:
        """True for a status that means success."""
        return status in self.status if self.status else 200 <= status < 300


ANY_SUCCESS = Expect()


def why_not_done(expect: Expect, status: int, content_type: str, body: bytes) -> str | None:
    """The reason why an answer of an accepted status is no success; None where it is one."""
    if expect.body is None:
        return f"HTTP {status} with a page instead of an answer" if content_type.startswith("text/html") else None
    if re.search(expect.body, body.decode("utf-8", "replace")):
        return None
    return f"HTTP {status}, but the answer's first {READ} bytes do not have what is expected: {expect.body}"
