"""Earned value, after the standard.

EV = progress × BAC, CPI = EV / AC, EAC = BAC / CPI, VAC = BAC − EAC, TCPI = (BAC − EV) / (BAC − AC). BAC is the budget at completion, AC the actual cost; both in ten-thousandths of money. What a denominator of zero leaves
undefined is null, with a reason.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from streams.core.ratios import Quality


class EarnedValue(NamedTuple):
    """The five values, exact."""

    value: Fraction | None = None
    cpi: Fraction | None = None
    eac: Fraction | None = None
    vac: Fraction | None = None
    tcpi: Fraction | None = None


def earn(
    quality: Quality, bac: Fraction | None, ac: int, progress: Fraction | None, *, spent_is_known: bool = True
) -> EarnedValue:
    """The values a budget, its actual cost and the progress give; without the actual cost what is earned is all that is known."""
    if progress is None:
        quality.note("no_progress")
    if bac is None or progress is None:
        return EarnedValue()
    value = progress * bac
    if not spent_is_known:
        return EarnedValue(value)
    tcpi = None
    if bac == ac:
        quality.note("budget_spent")
    else:
        tcpi = (bac - value) / (bac - ac)
    if ac == 0:
        quality.note("no_actual_cost")
        return EarnedValue(value, tcpi=tcpi)
    cpi = value / ac
    if cpi == 0:
        quality.note("no_earned_value")
        return EarnedValue(value, cpi, tcpi=tcpi)
    eac = bac / cpi
    return EarnedValue(value, cpi, eac, bac - eac, tcpi)
