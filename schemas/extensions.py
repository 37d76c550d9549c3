"""Whether the extensions beside the sources were made of these sources: an older one would run instead of what everybody reads.

`burnline.compiling` makes them and notes what of; whoever imports any part of Burnline asks here first. What is told names the verbs
of the Makefile, which take extensions away without importing anything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from schemas.errors import Fatal

ROOT = Path(__file__).resolve().parents[1]
_NOTE = ROOT / "schemas" / "compiled" / "ahead" / "sources.json"
_REMEDY = "run `make compiled` to compile it again, or `make pure` to do without"


def note(sources: Iterable[Path]) -> None:
    """Note what the extensions were made of."""
    _NOTE.write_text(json.dumps({str(place.relative_to(ROOT)): _digest(place) for place in sources}))


def are_used() -> bool:
    """Whether the hot path is compiled here."""
    return _NOTE.exists()


def refuse_stale() -> None:
    """Raises `Fatal` where an extension was made of another source than the one beside it, or nobody noted of which."""
    if not _NOTE.exists():
        if any(ROOT.glob("burnline__mypyc*.so")):
            raise Fatal("compiling was interrupted: what is there may be of other sources", remedy=_REMEDY)
        return
    for name, digest in json.loads(_NOTE.read_text()).items():
        if _digest(ROOT / name) != digest:
            raise Fatal(
                f"{name} has changed since it was compiled, and what was compiled would run instead",
                remedy=_REMEDY,
            )


def _digest(place: Path) -> str:
    return hashlib.sha256(place.read_bytes()).hexdigest()
