"""What a contract is worth to its projects, line by line, in the company's currency.

Rules
- A line belongs to its own project, else to the order's, else to the only one that the order is delivered in.
- Its amount is taken at the order's rate, which is that of the order's date: company amount over amount. Where no rate can be told,
  because a currency is not known or the company's amount is 0 while the order's is not, there is no amount at all.
- A down payment is no revenue of its own: it is paid of what is ordered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from streams.core.ratios import half_even


def unscaled(data: bytes) -> int:
    """A decimal as it travels, as a whole number of its last place."""
    return int.from_bytes(data, "big", signed=True)


def rate_of(contract: Mapping[str, Any]) -> Fraction | None:
    """Company currency for one of the order's; nothing where it cannot be told."""
    amount, of_company = contract["amount"], contract["company_amount"]
    own, company = contract["currency"], contract["company_currency"]
    if amount is None or of_company is None or own is None or company is None:
        return None
    if own == company:
        return Fraction(1)
    total, company_total = unscaled(amount), unscaled(of_company)
    return Fraction(company_total, total) if total and company_total else None


def lines_by_project(contract: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each line that belongs to a project, with it; without down payments."""
    projects = contract["project_ids"]
    fallback = contract["project_id"] or (projects[0] if len(projects) == 1 else None)
    for line in contract["lines"]:
        project = line["project_id"] or fallback
        if project is not None and line["kind"] != "down_payment":
            yield project, line


def line_worth(contract: Mapping[str, Any]) -> dict[int, int | None]:
    """Ten-thousandths of the company's currency by project; None where no rate can be told."""
    sums: dict[int, int] = {}
    for project, line in lines_by_project(contract):
        sums[project] = sums.get(project, 0) + unscaled(line["amount"])
    rate = rate_of(contract)
    return {
        project: None if rate is None else half_even(amount * rate.numerator, rate.denominator)
        for project, amount in sums.items()
    }
