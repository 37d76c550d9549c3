"""A line in the log.

- {target: log}
"""

from dataclasses import dataclass
from typing import Literal

from consumers.core.targets.common import Common


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Common):
    """Has no settings of its own."""

    target: Literal["log"] = "log"
