"""Which alerts are too old to act upon: those that a replay brings back, or that waited while nobody was there to act."""

from datetime import datetime, timedelta

from schemas.records import AlertEvent


def why_not_sent(alert: AlertEvent, now: datetime, oldest: timedelta) -> str | None:
    """The reason to record the alert's actions and send nothing; None where they are to be carried out."""
    age = now - alert["meta"]["occurred_at"]
    if age <= oldest:
        return None
    return f"the alert is {_words(age)} old, and none older than {_words(oldest)} is acted upon"


def _words(span: timedelta) -> str:
    return f"{span.days} d {span.seconds // 3600} h"
