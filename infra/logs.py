"""Structured logging: one line per decision, JSON unless a person is watching.

Call `configure` once, in the composition root. Per message, bind event_id, event_type, correlation_id, topic, partition and
offset with `structlog.contextvars`. Values named like secrets are masked whatever logs them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import stamina
import structlog

SECRET_WORDS = ("password", "secret", "token", "api_key", "authorization", "signature")
PERSONAL_FIELDS = frozenset({"name", "email", "phone", "hourly_cost", "body", "value"})


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask secrets and personal fields by their name."""
    for key in event:
        if key in PERSONAL_FIELDS or any(word in key.lower() for word in SECRET_WORDS):
            event[key] = "***"
    return event


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
