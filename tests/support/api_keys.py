"""Keys of users of the real Odoo, made in its database: over RPC it makes none without a browser."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any

ROUNDS = 6000


def api_key(odoo: Any, *, valid: str = "1 hour", user: int = 2) -> str:
    """A new key of a user, the administrator unless told, that is valid for this long from now on, as PostgreSQL writes an interval."""
    key, salt = secrets.token_hex(20), secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha512", key.encode(), salt, ROUNDS)
    stored = f"$pbkdf2-sha512${ROUNDS}${_adapted(salt)}${_adapted(digest)}"
    odoo.sql(
        "insert into res_users_apikeys (name, user_id, scope, expiration_date, key, index) values "  # noqa: S608  words of our own
        f"('test', {user}, null, now() at time zone 'utc' + interval '{valid}', '{stored}', '{key[:8]}')"
    )
    return key


def _adapted(data: bytes) -> str:
    """Base64 as passlib writes it."""
    return base64.b64encode(data).decode().rstrip("=").replace("+", ".")
