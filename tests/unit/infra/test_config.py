"""What a firm decides comes from one file; an unknown key or a value out of bounds is named, never ignored."""

from __future__ import annotations

import pytest

from infra.config import read_config, section
from infra.errors import Fatal
from producers.core.policy import CapturePolicy
from streams.core.policy import Measures


@pytest.mark.parametrize(
    ("text", "name", "kind", "says"),
    [
        pytest.param(
            "measures: {utilization: {windw_days: 28}}",
            "measures",
            Measures,
            "utilization.windw_days",
            id="an unknown key",
        ),
        pytest.param(
            "measures: {utilization: {window_days: -1}}", "measures", Measures, "window_days", id="a negative window"
        ),
        pytest.param(
            "measures: {budget_burn: {levels: [-50]}}", "measures", Measures, "levels", id="a negative threshold"
        ),
        pytest.param(
            "capture: {approved: {field: 'no field'}}",
            "capture",
            CapturePolicy,
            "approved",
            id="a field that cannot exist",
        ),
        pytest.param(
            "capture: {dispute: {states: {x: maybe}}}",
            "capture",
            CapturePolicy,
            "dispute",
            id="a word that means nothing",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, name, kind, says):
    file = tmp_path / "firm.yaml"
    file.write_text(text)
    with pytest.raises(Fatal, match=says) as caught:
        section(read_config(file), name, kind)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("mesures: {}", "unknown section mesures", id="a misspelt section"),
        pytest.param("- measures", "unknown section", id="a list where sections are due"),
        pytest.param("measures: {", "no YAML", id="no YAML at all"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, text, says):
    file = tmp_path / "firm.yaml"
    file.write_text(text)
    with pytest.raises(Fatal, match=says):
        read_config(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Fatal, match=r"gone\.yaml cannot be read"):
        read_config(tmp_path / "gone.yaml")


def test_without_a_file_the_defaults_hold():
    assert section(read_config(None), "measures", Measures) == Measures()
