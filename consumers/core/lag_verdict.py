"""How a consumer group stands on a partition: numbered rules over a short window of samples, after LinkedIn's Burrow.

The first rule that holds decides
1. nothing to read at some moment of the window                          ok
2. records wait, and nobody is in the group                              stopped
3. records wait, members are there, and the committed offset never moved stalled
4. it moved, but the lag never shrank and grew in the end                falling behind
5. else                                                                  ok

Judging by movement instead of a threshold of lag needs no tuning: a large lag that shrinks is well, a small one that stands is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class Verdict(StrEnum):
    """How a group stands on a partition, from best to worst."""

    OK = "ok"
    FALLING_BEHIND = "falling behind"
    STALLED = "stalled"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a partition. `committed` is None while the group has committed nothing: then all from `begin` on waits.

    `members` is at least 1 where a group has none to show, and only movement tells whether anybody is there.
    """

    committed: int | None
    begin: int
    end: int
    members: int

    @property
    def position(self) -> int:
        """The offset the group reads next; retention may have overtaken what it committed."""
        return max(self.committed if self.committed is not None else self.begin, self.begin)

    @property
    def lag(self) -> int:
        """Records, transaction markers among them, between the position and the end."""
        return max(self.end - self.position, 0)


def judge(samples: Sequence[Sample]) -> Verdict:
    """The verdict over samples in order of time. Raises `ValueError` for none.

    One sample cannot show movement, so with members in the group it is judged `ok`.
    """
    if not samples:
        raise ValueError("a verdict needs a sample")
    if any(sample.lag == 0 for sample in samples):
        return Verdict.OK
    if samples[-1].members == 0:
        return Verdict.STOPPED
    if len(samples) > 1 and samples[0].position == samples[-1].position:
        return Verdict.STALLED
    lags = [sample.lag for sample in samples]
    if lags[-1] > lags[0] and all(later >= earlier for earlier, later in pairwise(lags)):
        return Verdict.FALLING_BEHIND
    return Verdict.OK
