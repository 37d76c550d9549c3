"""A refused delivery, posted anew as its sender would: signed with the secrets of the source, or under Odoo's token.

Rules
- What is signed are the bytes, also where they are no text: the server is to say what is wrong with them, not that nobody signed them.
- It goes to the server and to nothing in between: no proxy that the environment names sees a token.
- It says which letter it is there for (`infra.letter_posts`), so that one that is refused again stays the same letter.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from ipaddress import ip_address

import httpx

from consumers.core.letter_queue import Letter
from consumers.core.reentry import Refusal
from infra.errors import Fatal, Transient
from infra.letter_posts import delivery_id, headers_of
from infra.settings import WebhookSettings

ODOO = "/odoo"
ANSWER = 200
"""Characters of a server's answer that are told."""
SOURCES = "BURNLINE_WEBHOOKS__SOURCES"
MEND = "mend the body with `burnline dlq edit`"
REMEDIES = {
    401: f"give this machine the secret of the source that the webhook server has ({SOURCES}), and look at both clocks",
    403: f"if it is the address: add this machine's to `allow` of the source in {SOURCES}; if it is the type: give the source another kind there",
    404: f"give the webhook server the source ({SOURCES}), or Odoo's token, as this machine has it",
}


def post(settings: WebhookSettings, letter: Letter, body: bytes, at: datetime) -> Refusal | None:
    """Post a letter's delivery with this body; why not, where the server refuses it, or this machine cannot sign it.

    Raises `Transient` where the server is away, `Fatal` where its address is none.
    """
    current = letter.event["current"]
    if body == current["value"] and len(body) != current["value_size"]:
        return Refusal(
            f"the letter holds the first {len(body)} of {current['value_size']} bytes",
            "have its sender send it again, or give all of it to `burnline dlq edit --value`",
        )
    found = _signed(settings, letter, body, at)
    if isinstance(found, Refusal):
        return found
    target, headers = found
    address = address_of(settings)
    try:
        answer = httpx.post(
            address + target, content=body, headers=headers, timeout=settings.ack_timeout + 5, trust_env=False
        )
    except httpx.InvalidURL as error:
        raise Fatal(f"{address} is no address: {error}", remedy="set BURNLINE_WEBHOOKS__HOST to a name or an address") from None  # fmt: skip
    except httpx.HTTPError as error:
        raise Transient(
            f"the webhook server at {address} does not answer: {type(error).__name__}",
            remedy="is `burnline webhooks` running, and BURNLINE_WEBHOOKS__HOST and …PORT as it has them?",
        ) from error
    if answer.status_code in {429, 503} or answer.status_code >= 500:
        raise Transient(f"the webhook server said {answer.status_code}", remedy="try again later")
    if answer.is_success:
        return None
    return Refusal(
        f"the webhook server refused it again, with {answer.status_code}: {answer.text[:ANSWER]}",
        REMEDIES.get(answer.status_code, MEND),
    )


def address_of(settings: WebhookSettings) -> str:
    """Where the server answers that listens where the settings say: on this machine, where it listens on all addresses."""
    try:
        address = ip_address(settings.host or "0.0.0.0")  # noqa: S104  it is not listened to
    except ValueError:
        return f"http://{settings.host}:{settings.port}"
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    return f"http://{address if address.version == 4 else f'[{address}]'}:{settings.port}"


def _signed(
    settings: WebhookSettings, letter: Letter, body: bytes, at: datetime
) -> tuple[str, dict[str, str]] | Refusal:
    """Where the delivery is posted, and its headers."""
    current = letter.event["current"]
    path, attempts = current["topic"], current["attempts"]
    headers = {"content-type": "application/json"}
    headers |= headers_of(letter.identity, letter.event["meta"]["subject"], attempts, current["first_failed_at"])
    if path == ODOO and settings.odoo_token is not None:
        return f"{ODOO}/{settings.odoo_token.get_secret_value().split()[0]}", headers
    source = path.rpartition("/")[2]
    if source not in settings.sources:
        return Refusal(
            f"this machine has no secret of the source {source}",
            f"set {SOURCES} and …ODOO_TOKEN as the webhook server has them",
        )
    identity, stamp = delivery_id(letter.identity, attempts, body), str(int(at.timestamp()))
    signed = f"{identity}.{stamp}.".encode() + body
    try:
        keys = _keys(settings.sources[source].secret.get_secret_value())
    except binascii.Error:
        return Refusal(f"the secret of the source {source} is no base64", f"write it in {SOURCES} as whsec_<base64>")
    signatures = [f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}" for key in keys]
    return path, headers | {
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def _keys(text: str) -> list[bytes]:
    """The secrets of a source, apart by spaces or commas as the server takes them. Either side may be the first to know a new one: all sign."""
    bare = [word.removeprefix("whsec_") for word in text.replace(",", " ").split()]
    return [base64.b64decode(word + "=" * (-len(word) % 4), validate=True) for word in bare]
