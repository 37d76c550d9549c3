"""What a check of `burnline doctor` found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's verdict (`ok`, `warning`, `failed`), in what detail, and what to do about it."""

    check: str
    verdict: str
    detail: str
    remedy: str = ""
