"""The quick look at a line of time: most have no flaw, and every worker asks that of every line."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from streams.core import days

DAY_MINUTES: Final = 24 * 60
FIRST_DAY: Final = days.from_date(date(2000, 1, 1))
"""Nothing that counts happened before."""
_DAY: Final = 86_400_000_000


def is_flawed(line: Any, recorded_at: int) -> bool:
    """Whether a timesheet line has any flaw. `recorded_at` is in microseconds since 1970."""
    day: int = line["date"]
    minutes: int = line["minutes"]
    return (
        not 0 <= minutes <= DAY_MINUTES
        or line["employee_id"] is None
        or line["project_id"] is None
        or day < FIRST_DAY
        or day * _DAY >= recorded_at + _DAY
    )
