"""Which deliveries come in: a pure decision over headers, body and the time of arrival.

Rules, in this order; the first that holds decides
1. unknown sender                                       404
2. a content type other than JSON, or not in UTF-8      415
3. larger than allowed, as declared or as read          413
4. a header missing                                     401
5. an id that could shift the signed text               400
6. no signature made with a secret in force             401
7. a timestamp that is no whole number of seconds       400
8. a timestamp outside the tolerance, old or future     400
Times are judged last, so that only those who can sign learn what the clock here says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from producers.core.webhook_signature import is_signed

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
JSON = "application/json"
UTF_8 = "utf-8"
LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Gate:
    """What one sender's deliveries are held against. `secrets` are all in force at once."""

    secrets: tuple[bytes, ...]
    tolerance: timedelta
    max_body_bytes: int


@dataclass(frozen=True, slots=True)
class Accept:
    """A delivery that its sender signed, just now."""

    delivery_id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Reject:
    """A delivery that is turned away: the HTTP status, and why."""

    status: int
    reason: str


def refuse_early(headers: Mapping[str, str], max_body_bytes: int) -> Reject | None:
    """What the headers alone forbid, before a byte of the body is read. Header names are in lower case."""
    kind, *parameters = (part.strip().lower() for part in headers.get("content-type", "").split(";"))
    if kind != JSON:
        return Reject(415, f"the content type is {kind or 'missing'}, not {JSON}")
    charset = next((part.partition("=")[2].strip('"') for part in parameters if part.startswith("charset=")), UTF_8)
    if charset not in {UTF_8, "utf8"}:
        return Reject(415, f"the charset is {charset}, not {UTF_8}")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length) > max_body_bytes:
        return too_large(max_body_bytes)
    return None


def too_large(max_body_bytes: int) -> Reject:
    """The answer to a body beyond the limit."""
    return Reject(413, f"the body is larger than {max_body_bytes} bytes")


def decide(headers: Mapping[str, str], body: bytes, now: datetime, gate: Gate | None) -> Accept | Reject:
    """Accept or reject a delivery by the rules of this module. Header names are in lower case; `now` has a time zone."""
    if gate is None:
        return Reject(404, "no such source")
    early = refuse_early(headers, gate.max_body_bytes)
    if early is not None:
        return early
    if len(body) > gate.max_body_bytes:
        return too_large(gate.max_body_bytes)
    return _signed(headers, body, now, gate)


def _signed(headers: Mapping[str, str], body: bytes, now: datetime, gate: Gate) -> Accept | Reject:
    missing = [name for name in (ID, TIMESTAMP, SIGNATURE) if not headers.get(name)]
    if missing:
        return Reject(401, f"{', '.join(missing)} is missing")
    delivery_id, timestamp = headers[ID], headers[TIMESTAMP]
    if "." in delivery_id or not delivery_id.isprintable() or len(delivery_id) > LONGEST_ID:
        return Reject(400, f"{ID} must be printable, without a dot, and of at most {LONGEST_ID} characters")
    if not is_signed(gate.secrets, delivery_id, timestamp, body, headers[SIGNATURE]):
        return Reject(401, "no signature matches")
    return _timely(delivery_id, timestamp, now, gate.tolerance)


def _timely(delivery_id: str, timestamp: str, now: datetime, tolerance: timedelta) -> Accept | Reject:
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 11:
        return Reject(400, f"{TIMESTAMP} is no whole number of seconds")
    sent_at = datetime.fromtimestamp(int(timestamp), UTC)
    if sent_at < now - tolerance:
        return Reject(400, f"{TIMESTAMP} is too old")
    if sent_at > now + tolerance:
        return Reject(400, f"{TIMESTAMP} lies in the future")
    return Accept(delivery_id, sent_at)
