"""Values of decoded records as JSON can hold them, without losing a digit."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from schemas.events import rfc3339


def number(value: Decimal) -> str:
    """A decimal as people write it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_AS_TEXT: dict[type, Callable[[Any], str]] = {
    Decimal: number,
    datetime: rfc3339,
    date: date.isoformat,
    bytes: bytes.hex,
}


def plain(value: Any) -> Any:
    """Decimals as text, days and times as ISO 8601, bytes as hexadecimal digits; all within lists and objects too."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    as_text = _AS_TEXT.get(type(value))
    return as_text(value) if as_text else value
