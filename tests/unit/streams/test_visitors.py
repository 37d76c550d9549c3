"""Who may look a state up."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from infra.errors import Fatal
from streams.visitors import tokens, why_not

OLD, NEW = "o" * 43, "n" * 43
HELD = tokens(SecretStr(f"{OLD} {NEW}"))
BEARER = {"authorization": f"Bearer {NEW}"}
HERE = {"host": "127.0.0.1:6066"}


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        pytest.param("127.0.0.1", HERE, None, id="this machine"),
        pytest.param("127.0.0.1", {"host": "localhost"}, None, id="this machine, by its name for itself"),
        pytest.param("::1", {"host": "[::1]:6066"}, None, id="this machine, version 6"),
        pytest.param("::ffff:127.0.0.1", HERE, None, id="this machine, mapped into version 6"),
        pytest.param("127.0.0.1", {"host": "evil.example:6066"}, 401, id="a page whose name leads here"),
        pytest.param("127.0.0.1", {"host": "127.0.0.1.evil.example"}, 401, id="a name that begins like an address"),
        pytest.param("127.0.0.1", {"host": "[::1"}, 401, id="a Host that is none"),
        pytest.param("127.0.0.1", {}, 401, id="no Host"),
        pytest.param("127.0.0.1", HERE | {"x-forwarded-for": "10.0.0.7"}, 401, id="through a proxy beside it"),
        pytest.param("10.0.0.7", HERE, 401, id="another machine"),
        pytest.param(None, HERE, 401, id="nobody knows who"),
        pytest.param("10.0.0.7", HERE | BEARER, None, id="another machine, with the token"),
        pytest.param("10.0.0.7", {"authorization": f"bearer  {OLD}"}, None, id="the token that is being replaced"),
        pytest.param("10.0.0.7", {"authorization": f"Basic {NEW}"}, 401, id="another scheme"),
        pytest.param("10.0.0.7", {"authorization": "Bearer "}, 401, id="a token of nothing"),
        pytest.param("127.0.0.1", HERE | {"authorization": "Bearer x"}, 401, id="a wrong token helps nobody"),
    ],
)
def test_a_state_is_shown_on_its_own_machine_or_for_the_token(
    peer: str | None, headers: dict[str, str], status: int | None
) -> None:
    found = why_not(peer, headers, HELD)
    assert (found and found.status) == status


def test_without_a_token_only_this_machine_is_answered_and_others_are_told_how() -> None:
    assert why_not("127.0.0.1", HERE, ()) is None
    found = why_not("10.0.0.7", {"authorization": "Bearer "}, ())
    assert found is not None
    assert (found.status, "BURNLINE_STREAMS__STATE_TOKEN" in found.hint) == (403, True)


@pytest.mark.parametrize("given", [" ", "short", f"{NEW} short"])
def test_a_token_that_could_be_guessed_stops_the_worker(given: str) -> None:
    with pytest.raises(Fatal, match="fewer than 32"):
        tokens(SecretStr(given))
    assert tokens(None) == ()
