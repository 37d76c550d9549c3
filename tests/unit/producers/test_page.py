"""docs/capture.md says what is captured: every model, module and topic of the mappings, and settings that are some."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from infra.config import section
from producers.core.mapping import mappings
from producers.core.policy import CapturePolicy

PAGE = (Path(__file__).parents[3] / "docs" / "capture.md").read_text(encoding="utf-8")


def test_every_mapping_stands_in_the_page() -> None:
    rows = [line for line in PAGE.partition("## What is not")[0].splitlines() if line.startswith("| [")]
    for mapping in mappings(CapturePolicy()):
        for entity in mapping.entities:
            of = [row for row in rows if f"[{entity.topic_name}]" in row and f"`{mapping.model}`" in row]
            assert any(mapping.module in row.split("|")[3] for row in of), f"{entity.topic_name} of {mapping.model}"


def test_the_settings_that_it_shows_are_some() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    config: dict[str, Any] = yaml.safe_load(shown)
    policy = section(config, "capture", CapturePolicy)
    assert policy.approved.submitted == ("handed_in",)
    assert policy.dispute.word("klage") == "escalated"
    assert set(config["capture"]) == {one.name for one in fields(CapturePolicy)}
