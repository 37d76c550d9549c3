"""Whether the extensions beside the sources are those of these sources: an older one would run instead of what everybody reads.

`burnline.compiling` makes them and notes what of; whoever starts asks here first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from infra.errors import Fatal

ROOT = Path(__file__).resolve().parents[1]
_NOTE = ROOT / "schemas" / "compiled" / "ahead" / "sources.json"
_PACKAGES = ("schemas", "streams")


def _extensions() -> list[Path]:
    inner = [place for package in _PACKAGES for place in (ROOT / package).rglob("*.so")]
    return [*inner, *ROOT.glob("burnline__mypyc*.so")]


def remove() -> None:
    """Take away all extensions."""
    for place in [*_extensions(), _NOTE]:
        place.unlink(missing_ok=True)


def note(sources: Iterable[Path]) -> None:
    """Note what the extensions were made of."""
    _NOTE.write_text(json.dumps({str(place.relative_to(ROOT)): _digest(place) for place in sources}))


def refuse_stale() -> None:
    """Raises `Fatal` where an extension was made of another source than the one beside it."""
    if not _NOTE.exists():
        return
    for name, digest in json.loads(_NOTE.read_text()).items():
        if _digest(ROOT / name) != digest:
            raise Fatal(
                f"{name} has changed since it was compiled, and its old extension would run",
                remedy="run `make compiled`, or `python -m burnline.compiling --remove`",
            )


def _digest(place: Path) -> str:
    return hashlib.sha256(place.read_bytes()).hexdigest()
