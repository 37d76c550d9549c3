"""Read back what was changed, until the cluster shows it: brokers hear of a change a moment after it was accepted."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from infra.errors import Transient
from infra.kafka.changes import Change

PATIENCE = 30.0
PAUSE = 0.05


def until_settled(done: Collection[Change], left: Callable[[], list[Change]]) -> None:
    """Return once none of what was done is still to be done. Raises `Transient` that names what is, after `PATIENCE` seconds."""
    places = {(change.what, change.item) for change in done}
    deadline = time.monotonic() + PATIENCE
    while unsettled := [change for change in left() if (change.what, change.item) in places]:
        if time.monotonic() > deadline:
            raise Transient(
                f"{len(unsettled)} changes were accepted, but do not show after {PATIENCE:.0f} s: {unsettled[0]}",
                remedy="does somebody else change the same? run `burnline topics plan` again",
            )
        time.sleep(PAUSE)
