"""Exact arithmetic, rounded once.

The rule: every value is computed from whole numbers (minutes, ten-thousandths of money, billionths of shares) as an exact
fraction, and quantized to its schema's scale once, at the end, half to even. No float decides a value.

Invariant: a denominator of zero gives null and the reason the caller names; a value too large for its schema gives null and
`out_of_range`. Never 0, infinity or an exception.
"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

SHARE_SCALE, SHARE_DIGITS = 9, 18
MONEY_SCALE, MONEY_DIGITS = 4, 20
OUT_OF_RANGE = "out_of_range"
_EXACT = Context(prec=60)


def half_even(numerator: int, denominator: int) -> int:
    """The nearest whole number, ties to the even one. Raises `ZeroDivisionError`."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))


def quantized(value: Fraction, scale: int, digits: int) -> Decimal | None:
    """The value at this scale, half to even; null where it needs more digits than the schema has."""
    unscaled = half_even(value.numerator * 10**scale, value.denominator)
    return None if abs(unscaled) >= 10**digits else _EXACT.scaleb(Decimal(unscaled), -scale)


def as_share(value: Fraction | None) -> Decimal | None:
    """A ratio as the schemas hold it: nine places."""
    return None if value is None else quantized(value, SHARE_SCALE, SHARE_DIGITS)


def money(unscaled: int) -> Decimal:
    """Whole ten-thousandths as money."""
    return _EXACT.scaleb(Decimal(unscaled), -MONEY_SCALE)


def unscaled_money(amount: Decimal) -> int:
    """Money as whole ten-thousandths; more places than four are rounded half to even."""
    return half_even(*(Fraction(amount) * 10**MONEY_SCALE).as_integer_ratio())


class Quality:
    """Turns fractions into values, and collects why a value is null."""

    __slots__ = ("_reasons",)

    def __init__(self, *reasons: str) -> None:
        """Begin with these reasons."""
        self._reasons = set(reasons)

    def note(self, reason: str) -> None:
        """Remember a reason."""
        self._reasons.add(reason)

    def reasons(self) -> list[str]:
        """All reasons, in order of the alphabet."""
        return sorted(self._reasons)

    def share(self, value: Fraction | None) -> Decimal | None:
        """A ratio with nine places."""
        return self._held(value, SHARE_SCALE, SHARE_DIGITS)

    def ratio(self, numerator: int, denominator: int, otherwise: str) -> Decimal | None:
        """Numerator over denominator with nine places; null for the reason `otherwise` where the denominator is 0."""
        if denominator == 0:
            self.note(otherwise)
            return None
        return self.share(Fraction(numerator, denominator))

    def amount(self, value: Fraction | None) -> Decimal | None:
        """Money, from a fraction of ten-thousandths."""
        return self._held(None if value is None else value / 10**MONEY_SCALE, MONEY_SCALE, MONEY_DIGITS)

    def _held(self, value: Fraction | None, scale: int, digits: int) -> Decimal | None:
        if value is None:
            return None
        held = quantized(value, scale, digits)
        if held is None:
            self.note(OUT_OF_RANGE)
        return held
