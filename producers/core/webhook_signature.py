"""Standard Webhooks signatures (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`.

Why not the library `standardwebhooks`: its `verify` reads the clock itself with a fixed tolerance of five minutes, takes one
secret, and decodes the body to text before it has been verified. Here the body stays bytes, several secrets may be in force
while one replaces another, and the clock is left to the caller. Signatures of the two are the same; a test holds them together.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

PREFIX = "whsec_"
VERSION = "v1"
LEAST_BYTES = 24


def secrets(text: str) -> tuple[bytes, ...]:
    """The secrets written as `whsec_<base64>`, several of them apart by spaces or commas, while one is replaced.

    Raises `ValueError` for none, for one that is no base64, and for one shorter than the standard's 24 bytes.
    """
    found = tuple(_secret(word) for word in text.replace(",", " ").split())
    if not found:
        raise ValueError("it holds no secret")
    return found


def _secret(word: str) -> bytes:
    bare = word.removeprefix(PREFIX)
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        raise ValueError("it is no base64") from None
    if len(key) < LEAST_BYTES:
        raise ValueError(f"it has {len(key)} bytes, fewer than {LEAST_BYTES}")
    return key


def signature(secret: bytes, delivery_id: str, timestamp: str, body: bytes) -> str:
    """The signature of a delivery, as it stands in the header: `v1,<base64>`."""
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return f"{VERSION},{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


def is_signed(keys: Iterable[bytes], delivery_id: str, timestamp: str, body: bytes, header: str) -> bool:
    """True where any signature of the header (apart by spaces) was made with any of the secrets; compared in constant time."""
    given = [word.encode() for word in header.split(" ") if word.startswith(f"{VERSION},")]
    held = [signature(key, delivery_id, timestamp, body).encode() for key in keys]
    return any([hmac.compare_digest(one, other) for one in given for other in held])  # noqa: C419  all are compared: no early end to time
