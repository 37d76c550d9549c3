"""Robust statistics: what is usual, and how unusual a value is, without being misled by the few that are wild.

Source: median and median absolute deviation (MAD), scaled by 1.4826 to a standard deviation of normal data (Rousseeuw and Croux, 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import median

SCALE = Decimal("1.4826")


def spread(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """Median and scaled MAD of at least one value."""
    middle = median(values)
    return middle, SCALE * median([abs(value - middle) for value in values])


def unusual(value: Decimal, values: Sequence[Decimal], *, least: Decimal) -> Decimal:
    """How many deviations a value lies above what is usual; below it, negative. A deviation is never taken to be under `least`."""
    middle, deviation = spread(values)
    return (value - middle) / max(deviation, least)
