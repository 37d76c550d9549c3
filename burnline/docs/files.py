"""Every generated file, and whether what is on disk is that."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from burnline.docs import access, asyncapi, contracts, events, index, pages, privacy
from burnline.docs.model import ROOT, public_topics
from schemas import generate

DOCS = ROOT / "docs"
OWN = (DOCS / "topics", DOCS / "contracts")
"""Folders in which everything is generated: what else lies there is about a topic that is gone."""


def generated() -> dict[Path, str]:
    """Path and text of every generated file."""
    return {
        DOCS / "README.md": index.page(),
        DOCS / "events.md": events.page(),
        DOCS / "access.md": access.page(),
        DOCS / "privacy.md": privacy.page(),
        DOCS / "asyncapi.yaml": asyncapi.document(public_topics()),
        **{DOCS / "topics" / name: text for name, text in pages.pages().items()},
        **{DOCS / "contracts" / name: text for name, text in contracts.contracts().items()},
        **generate.modules(),
    }


class Differences(NamedTuple):
    """What is wrong on disk: files with another text or none, and files that nothing generates any more."""

    stale: list[Path]
    left_over: list[Path]


def differences(wanted: dict[Path, str]) -> Differences:
    """How the disk differs from what is wanted."""
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_bytes() != text.encode()]
    left_over = [path for folder in OWN for path in sorted(folder.glob("[!.]*")) if path not in wanted]
    return Differences(stale, left_over)


def write(wanted: dict[Path, str]) -> None:
    """Bring the disk to what is wanted."""
    stale, left_over = differences(wanted)
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted[path].encode())
    for path in left_over:
        path.unlink()
