"""Which deliveries come in. The table is the specification: every case carries its reason."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from producers.core.webhook_admission import Accept, Gate, Reject, decide
from producers.core.webhook_signature import is_signed, secrets, signature

NOW = datetime(2026, 3, 12, 10, 0, tzinfo=UTC)
OLD, NEW = b"o" * 24, b"n" * 32
GATE = Gate((NEW, OLD), timedelta(minutes=5), 1024)
BODY = b'{"type": "dispute.opened"}'


def headers(*, body=BODY, key=NEW, at=NOW, **changed):
    stamp = str(int(at.timestamp()))
    given_headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": signature(key, "msg_1", stamp, body),
    }
    given_headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in given_headers.items() if value is not None}


def signed_stamp(stamp):
    return headers(webhook_timestamp=stamp, webhook_signature=signature(NEW, "msg_1", stamp, BODY))


ACCEPTED = [
    pytest.param(headers(), id="signed just now"),
    pytest.param(headers(key=OLD), id="the secret that is being replaced is still in force"),
    pytest.param(headers(content_type="application/json; charset=utf-8"), id="a content type may have parameters"),
    pytest.param(headers(content_type='application/json;charset="UTF-8"'), id="a charset in quotes"),
    pytest.param(headers(content_type="Application/JSON"), id="content types have no case"),
    pytest.param(
        headers(
            webhook_signature=f"v1a,AAAA {signature(b'x' * 24, 'a', '1', b'')} {signature(NEW, 'msg_1', str(int(NOW.timestamp())), BODY)}"
        ),
        id="one of several signatures is enough, for a sender that replaces its secret",
    ),
    pytest.param(headers(at=NOW - timedelta(minutes=5)), id="as old as the tolerance"),
    pytest.param(headers(at=NOW + timedelta(minutes=5)), id="as far ahead as the tolerance"),
    pytest.param(headers(content_length=str(len(BODY))), id="a length that is told and allowed"),
]


@pytest.mark.parametrize("given_headers", ACCEPTED)
def test_accepts(given_headers):
    verdict = decide(given_headers, BODY, NOW, GATE)

    assert isinstance(verdict, Accept)
    assert verdict.delivery_id == "msg_1"


REJECTED = [
    pytest.param(headers(content_type="text/plain"), BODY, 415, id="not JSON"),
    pytest.param(headers(content_type=None), BODY, 415, id="content type missing"),
    pytest.param(headers(content_type="application/json; charset=latin-1"), BODY, 415, id="JSON has one charset"),
    pytest.param(
        headers(content_type='application/json; x=1; charset="UTF-16"'), BODY, 415, id="the charset among others"
    ),
    pytest.param(headers(content_type="application/json-seq"), BODY, 415, id="looks like JSON only at its beginning"),
    pytest.param(headers(content_length="1025"), BODY, 413, id="declared too large"),
    pytest.param(headers(content_length="-1"), BODY, 413, id="a length that is no number is not trusted"),
    pytest.param(headers(), b"x" * 1025, 413, id="read too large, whatever was declared"),
    pytest.param(headers(webhook_id=None), BODY, 401, id="id missing"),
    pytest.param(headers(webhook_timestamp=None), BODY, 401, id="timestamp missing"),
    pytest.param(headers(webhook_signature=None), BODY, 401, id="signature missing"),
    pytest.param(headers(webhook_signature=""), BODY, 401, id="signature empty"),
    pytest.param(headers(webhook_signature="v1,"), BODY, 401, id="signature without content"),
    pytest.param(
        headers(webhook_signature="nonsense \xff"),
        BODY,
        401,
        id="signature that cannot be parsed is forged, not an accident",
    ),
    pytest.param(headers(key=b"f" * 24), BODY, 401, id="signed with another secret"),
    pytest.param(headers(), BODY + b" ", 401, id="one byte more than was signed"),
    pytest.param(
        headers(webhook_id="msg_2"), BODY, 401, id="another id than was signed would defeat the check for duplicates"
    ),
    pytest.param(
        headers(webhook_timestamp=str(int(NOW.timestamp()) + 1)),
        BODY,
        401,
        id="another time than was signed would revive an old one",
    ),
    pytest.param(
        headers(key=b"f" * 24, at=NOW - timedelta(days=1)),
        BODY,
        401,
        id="forged and old: a forger is not told the time",
    ),
    pytest.param(headers(webhook_id="a.b"), BODY, 400, id="a dot in the id could shift what was signed"),
    pytest.param(headers(webhook_id="x" * 201), BODY, 400, id="an id too long to be remembered"),
    pytest.param(headers(at=NOW - timedelta(minutes=5, seconds=1)), BODY, 400, id="older than the tolerance: a replay"),
    pytest.param(
        headers(at=NOW + timedelta(minutes=5, seconds=1)), BODY, 400, id="from the future: could be kept for later"
    ),
    pytest.param(signed_stamp("1.5"), BODY, 400, id="fractions of seconds are not the standard's"),
    pytest.param(signed_stamp("-1"), BODY, 400, id="before 1970"),
    pytest.param(signed_stamp("9" * 30), BODY, 400, id="beyond any calendar"),
    pytest.param(signed_stamp("٣"), BODY, 400, id="digits of another script"),
]


@pytest.mark.parametrize(("given_headers", "body", "status"), REJECTED)
def test_rejects(given_headers, body, status):
    verdict = decide(given_headers, body, NOW, GATE)

    assert isinstance(verdict, Reject)
    assert verdict.status == status
    assert verdict.reason


def test_an_unknown_source_is_not_found_before_anything_else_is_looked_at():
    assert decide({}, b"", NOW, None) == Reject(404, "no such source")


@given(
    key=st.binary(min_size=24, max_size=64),
    identity=st.text(st.characters(codec="ascii", exclude_characters="."), min_size=1),
    body=st.text(),
)
def test_our_signatures_are_those_of_the_reference_library(key, identity, body):
    theirs = Webhook(base64.b64encode(key).decode()).sign(identity, NOW, body)

    assert signature(key, identity, str(int(NOW.timestamp())), body.encode()) == theirs


@given(body=st.binary(min_size=1, max_size=200), flip=st.integers(0), bit=st.integers(0, 7))
def test_no_changed_bit_goes_unnoticed(body, flip, bit):
    changed = bytearray(body)
    changed[flip % len(body)] ^= 1 << bit

    assert is_signed([NEW], "id", "1", body, signature(NEW, "id", "1", body))
    assert not is_signed([NEW], "id", "1", bytes(changed), signature(NEW, "id", "1", body))


def written(key):
    return "whsec_" + base64.b64encode(key).decode()


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param(written(NEW), (NEW,), id="as the standard writes it"),
        pytest.param(written(NEW).removeprefix("whsec_"), (NEW,), id="without its prefix"),
        pytest.param(written(NEW).rstrip("="), (NEW,), id="without padding"),
        pytest.param(f"{written(NEW)} {written(OLD)}", (NEW, OLD), id="two, while one replaces the other"),
        pytest.param(f"{written(NEW)},{written(OLD)}", (NEW, OLD), id="apart by a comma"),
    ],
)
def test_secrets_are_read(text, keys):
    assert secrets(text) == keys


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "no secret", id="none: everything would be forged"),
        pytest.param("whsec_%%%", "no base64", id="not base64"),
        pytest.param(written(b"short"), "fewer than 24", id="short enough to guess"),
    ],
)
def test_secrets_of_no_use_are_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        secrets(text)
