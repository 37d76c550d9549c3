"""When Python looks for garbage in cycles: between batches, where little is alive, instead of in the midst of one.

A batch makes some hundred thousand objects that are gone by its end, and rows of state that stay. Left to itself, Python looked
through them again and again, at a tenth of the work's cost. Nothing here makes cycles in number; what does (web requests, errors) is
found at the next look.
"""

from __future__ import annotations

import gc
from types import TracebackType
from typing import Self

OFTEN = 64
"""So many looks at what is new, then one at what outlived the last of them; so many of those, then one at everything."""


class Litter:
    """Within it, garbage is looked for when `swept` is called, and at no other time."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._looks = 0

    def __enter__(self) -> Self:
        """Take over from Python; what is there already stays for good and is not looked at any more."""
        gc.freeze()
        gc.disable()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Give it back."""
        gc.enable()
        gc.unfreeze()

    def swept(self) -> None:
        """Look for what the last batch left."""
        self._looks += 1
        generation = 0
        if self._looks % OFTEN == 0:
            generation = 2 if self._looks % OFTEN**2 == 0 else 1
        gc.collect(generation)
