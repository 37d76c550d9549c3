"""A chain tells an altered, a removed and an inserted entry from what was entered; and a noted head tells a chain that was cut or written anew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.core.trail_chain import BEGINNING, Head, digest_of, head_of, linked, verify

AT = datetime(2026, 3, 30, 8, tzinfo=UTC)


def chain(length: int = 5) -> list[dict[str, Any]]:
    head, entries = Head(), []
    for number in range(length):
        entry = linked(
            head, {"subject": f"s{number}", "occurred_at": AT, "facts": {"b": "2", "a": "1"}, "reason": None}
        )
        entries.append(entry)
        head = head_of(entry)
    return entries


def altered(entries: Any) -> Any:
    entries[2] = {**entries[2], "subject": "somebody else"}
    return entries


def altered_with_its_digest(entries: Any) -> Any:
    entries[2]["subject"] = "somebody else"
    entries[2]["digest"] = digest_of(entries[2])
    return entries


def removed(entries: Any) -> Any:
    return entries[:2] + entries[3:]


def renumbered(entries: Any) -> Any:
    """Removed, and those behind it moved up."""
    left = removed(entries)
    for number, entry in enumerate(left, 1):
        entry["number"] = number
        entry["digest"] = digest_of(entry)
    return left


def inserted(entries: Any) -> Any:
    return [*entries[:3], linked(head_of(entries[1]), {"subject": "a stranger", "occurred_at": AT}), *entries[3:]]


def inserted_with_the_next_number(entries: Any) -> Any:
    return [*entries[:3], linked(head_of(entries[2]), {"subject": "a stranger", "occurred_at": AT}), *entries[3:]]


def swapped(entries: Any) -> Any:
    entries[1], entries[2] = entries[2], entries[1]
    return entries


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        pytest.param(lambda entries: entries, [], id="as it was entered"),
        pytest.param(lambda _: [], [], id="nothing was entered yet"),
        pytest.param(altered, ["altered"], id="altered"),
        pytest.param(altered_with_its_digest, ["broken"], id="altered, and its digest made anew: the next one tells"),
        pytest.param(removed, ["removed"], id="removed"),
        pytest.param(lambda entries: entries[1:], ["removed"], id="the first removed"),
        pytest.param(renumbered, ["broken", "broken"], id="removed, and the others moved up"),
        pytest.param(inserted, ["inserted"], id="inserted under a number that is taken"),
        pytest.param(inserted_with_the_next_number, ["inserted", "broken"], id="inserted under the next number"),
        pytest.param(lambda entries: [*entries, entries[-1]], ["inserted"], id="the last one twice"),
        pytest.param(swapped, ["removed", "inserted"], id="two swapped"),
    ],
)
def test_what_is_found(change, kinds):
    found = list(verify(change(chain())))
    assert [one.kind for one in found] == kinds
    assert all(one.sentence and one.number for one in found)


@pytest.mark.parametrize(
    ("entries", "noted", "kinds"),
    [
        pytest.param(chain(5), head_of(chain(5)[-1]), [], id="it ends where it did"),
        pytest.param(chain(7), head_of(chain(5)[-1]), [], id="it has grown since"),
        pytest.param(chain(4), head_of(chain(5)[-1]), ["head"], id="its end was cut off"),
        pytest.param(chain(5), Head(5, "f" * 64), ["head"], id="it was written anew, digests and all"),
        pytest.param([], head_of(chain(1)[0]), ["head"], id="it is gone"),
    ],
)
def test_a_noted_head_tells_what_the_chain_alone_cannot(entries, noted, kinds):
    assert [one.kind for one in verify(entries, noted)] == kinds


def test_the_digest_does_not_depend_on_the_order_of_fields():
    entry = chain(1)[0]
    assert digest_of(dict(reversed(entry.items()))) == entry["digest"]
    assert (entry["number"], entry["previous"]) == (1, BEGINNING)


def test_what_has_no_form_in_a_trail_is_refused():
    with pytest.raises(TypeError):
        linked(Head(), {"value": b"bytes"})
