"""Structured logging: one line per decision, JSON unless a person is watching.

Call `configure` once, in the composition root. Per message, bind event_id, event_type, correlation_id, topic, partition and
offset with `structlog.contextvars`. Values named like secrets, or like a field of class personal, are masked whatever logs them, at any depth.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import stamina
import structlog

from schemas.personal import FIELDS

MASK = "***"
SECRET_WORDS = ("password", "secret", "token", "api_key", "authorization", "signature")
OPAQUE = frozenset({"email", "phone", "body", "value", "row", "payload"})
"""What other systems said, of which nobody knows the class."""
OWN = frozenset({"event", "level", "timestamp"})
"""What every line has, whatever fields of records are called."""
PERSONAL_FIELDS = OPAQUE.union(*FIELDS.values())


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask secrets and personal fields by their name, also in records and lists that are logged whole."""
    for key, value in event.items():
        event[key] = value if key in OWN else _shown(key, value)
    return event


def _shown(key: str, value: Any) -> Any:
    if key in PERSONAL_FIELDS or any(word in key.lower() for word in SECRET_WORDS):
        return MASK
    match value:
        case Mapping():
            return {inner: _shown(str(inner), one) for inner, one in value.items()}
        case list() | tuple():
            return [_shown("", one) for one in value]
    return value


def configure(level: str = "info") -> None:
    """Log to standard error from `level` on; standard output belongs to a command's result."""
    stamina.instrumentation.set_on_retry_hooks(
        []
    )  # its lines name callables; whoever gives up says what a person can use
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(_StandardError()),  # type: ignore[arg-type]  # it is only written to
        cache_logger_on_first_use=True,
    )


class _StandardError:
    """Whatever standard error is when a line is written: a logger is kept for longer than a stream that stood in for it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
