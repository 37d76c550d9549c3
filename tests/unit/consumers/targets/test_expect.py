"""What counts as done in an answer."""

import pytest

from consumers.core.targets.expect import Expect, why_not_done


@pytest.mark.parametrize(
    ("expect", "status", "accepted"),
    [
        pytest.param(Expect(), 204, True, id="any of 2xx"),
        pytest.param(Expect(), 302, False, id="a redirect is not followed"),
        pytest.param(Expect(status=(200,)), 202, False, id="only what is named"),
        pytest.param(Expect(status=(409,)), 409, True, id="known already, says this one"),
    ],
)
def test_status(expect, status, accepted):
    assert expect.accepts(status) is accepted


@pytest.mark.parametrize(
    ("expect", "kind", "body", "problem"),
    [
        pytest.param(Expect(), "application/json", b"{}", None, id="an answer"),
        pytest.param(Expect(), "text/html", b"<html>Sorry", "a page instead of an answer", id="a proxy's page"),
        pytest.param(Expect(body="^ok$"), "text/html", b"ok", None, id="the words count, where they are named"),
        pytest.param(Expect(body='"ok": *true'), "application/json", b'{"ok": true}', None, id="somewhere within"),
        pytest.param(Expect(body="^ok$"), "text/plain", b"no_service", "do not have what is expected", id="others"),
        pytest.param(Expect(body="x"), "text/plain", b"\xff\xfe", "do not have what is expected", id="no text at all"),
    ],
)
def test_words(expect, kind, body, problem):
    found = why_not_done(expect, 200, kind, body)
    assert (problem in found) if problem else found is None


def test_an_expression_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no regular expression"):
        Expect(body="(")
