"""The chain of the audit trail: each entry holds the digest of the one before it, so that none can be altered, removed or put in unseen. Pure.

Digest: SHA-256 over the entry's content as JSON (keys sorted, no spaces, UTF-8; moments as microseconds since 1970), which holds the entry's
number and the digest of the one before. Who can write the topic can rewrite a whole chain; who noted the head before knows. Export notes it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

BEGINNING = "0" * 64
"""What stands for the digest before the first entry."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Head(NamedTuple):
    """The end of a chain: the number and the digest of its last entry."""

    number: int = 0
    digest: str = BEGINNING

    def __str__(self) -> str:
        """As it is noted, and given to `verify`."""
        return f"{self.number}:{self.digest}"


def parsed(noted: str) -> Head:
    """A head from its note. Raises `ValueError` for what is none."""
    found = re.fullmatch(r"(\d+):([0-9a-f]{64})", noted)
    if found is None:
        raise ValueError(f"{noted!r} is no head of a trail")
    return Head(int(found[1]), found[2])


class Finding(NamedTuple):
    """What is wrong with a chain, at which number."""

    kind: str
    number: int
    sentence: str


def linked(head: Head, content: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with this content that follows a head."""
    entry = {**content, "number": head.number + 1, "previous": head.digest}
    return {**entry, "digest": digest_of(entry)}


def head_of(entry: Mapping[str, Any]) -> Head:
    """The head of a chain that ends with this entry."""
    return Head(entry["number"], entry["digest"])


def digest_of(entry: Mapping[str, Any]) -> str:
    """The digest of an entry's content."""
    content = {name: value for name, value in entry.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    raise TypeError(f"a {type(value).__name__} has no place in a trail")


def verify(entries: Iterable[Mapping[str, Any]], expected: Head | None = None) -> Iterator[Finding]:
    """What is wrong with a chain from its beginning; nothing where it is whole. `expected` is a head that was noted, and must be in it."""
    head, noted = Head(), expected is None
    for entry in entries:
        number = entry["number"]
        if digest_of(entry) != entry["digest"]:
            yield Finding("altered", number, f"entry {number} does not say what its digest was made of: it was altered")
        if number <= head.number:
            yield Finding(
                "inserted",
                number,
                f"an entry with the number {number} follows entry {head.number}: it was put in, or is there twice",
            )
            continue
        if number > head.number + 1:
            gone = f"{head.number + 1}" if number == head.number + 2 else f"{head.number + 1} to {number - 1}"
            yield Finding("removed", head.number + 1, f"entry {gone} is missing before entry {number}: removed")
        elif entry["previous"] != head.digest:
            yield Finding(
                "broken",
                number,
                f"entry {number} does not follow the entry {head.number} that stands before it: one of them was replaced",
            )
        head = head_of(entry)
        noted = noted or head == expected
    if not noted and expected is not None:
        what = "is missing at the end" if head.number < expected.number else "is not the one that was noted"
        yield Finding("head", expected.number, f"entry {expected.number} {what}: the chain was cut, or written anew")
