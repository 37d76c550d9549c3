"""How deeply a JSON text is nested, told from its bytes: before anything parses it."""

import re

_MARKS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def deeper_than(limit: int, body: bytes) -> bool:
    """Whether more than `limit` arrays and objects are open at once. Linear in the body, and it ends where the answer is known."""
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    depth = 0
    for mark in _MARKS.finditer(body):
        first = mark[0][:1]
        if first in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif first in b"]}":
            depth -= 1
    return False
