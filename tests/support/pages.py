"""A generated page of a topic, read as a stranger reads it: by its blocks."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from burnline.docs.files import DOCS
from schemas.topics import Deprecation, Topic

_BLOCK = re.compile(r"^```(\w+)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_SCHEMA = re.compile(r"<details><summary>.*?<code>(.+?)</code></summary>\s*```json\n(.*?)\n```", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """What a page offers to be copied."""

    sample: Any
    key: str
    headers: list[list[str]]
    digits: str
    program: str
    calls: list[str]
    schemas: dict[str, str]


def ends(topic: Topic) -> Topic:
    """The same topic, deprecated."""
    return dataclasses.replace(topic, deprecation=Deprecation(date(2026, 4, 1), date(2026, 10, 1), "some.thing.v2"))


def read_page(topic: str) -> Page:
    """The page of a topic, as it stands on disk."""
    text = (DOCS / "topics" / f"{topic}.md").read_text(encoding="utf-8")
    schemas = dict(_SCHEMA.findall(text))
    blocks = _BLOCK.findall(_SCHEMA.sub("", text))
    of = {language: [body for found, body in blocks if found == language] for language, _ in blocks}
    (sample,), (headers,), (digits,), (program,) = of["json"], of["text"], of["hex"], of["python"]
    return Page(
        sample=json.loads(sample),
        key=re.findall(r"^Key `(.+?)`", text, re.MULTILINE)[0],
        headers=[line.split(": ", 1) for line in headers.splitlines()],
        digits=digits,
        program=program,
        calls=of["sh"],
        schemas=schemas,
    )


def save_schemas(page: Page, folder: Path) -> None:
    """Write the schemas of a page where its program looks for them."""
    for name, text in page.schemas.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def replaced(text: str, changes: dict[str, str]) -> str:
    """A program with the reader's own values. Each stands in it once."""
    for old, new in changes.items():
        assert text.count(old) == 1, f"{old} stands {text.count(old)} times in the program"
        text = text.replace(old, new)
    return text
