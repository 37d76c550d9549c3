"""The doctor's order: what needs a thing that failed is not asked."""

from __future__ import annotations

import json

import pytest
import typer

from burnline import environment
from burnline.commands import cluster_checks, doctor
from burnline.commands.finding import Finding
from burnline.environment import Environment
from infra.settings import Settings


@pytest.mark.parametrize(
    ("topics", "looked_at"),
    [
        pytest.param("ok", True, id="records lie on topics that are there"),
        pytest.param("warning", True, id="what nobody declares beside them does no harm"),
        pytest.param("failed", False, id="a broker without topics is up: its records are no second failure"),
    ],
)
def test_records_are_looked_at_where_topics_are_as_they_should_be(monkeypatch, topics, looked_at):
    monkeypatch.setattr(environment, "load", lambda **_: Environment(Settings(), {}))
    for name in ("_schemas", "_registry", "_configuration", "_odoo"):
        monkeypatch.setattr(doctor, name, lambda *_: [])
    monkeypatch.setattr(doctor, "_kafka", lambda _: [Finding("kafka", "ok", "answers")])
    monkeypatch.setattr(cluster_checks, "topics", lambda _: [Finding("topics", topics, "as said")])
    monkeypatch.setattr(cluster_checks, "access", lambda _: [])
    monkeypatch.setattr(doctor, "_records", lambda _: [Finding("records", "ok", "readable")])
    assert ("records" in {finding.check for finding in doctor.examine()}) is looked_at


def test_each_finding_is_told_when_it_is_found(monkeypatch, capsys):
    told = []

    def examine():
        yield Finding("settings", "ok", "known")
        told.append(capsys.readouterr().out)
        yield Finding("kafka", "failed", "away", "start it")

    monkeypatch.setattr(doctor, "examine", examine)
    with pytest.raises(typer.Exit) as ended:
        doctor.doctor(json_=True)
    assert json.loads(told[0])["check"] == "settings"
    assert json.loads(capsys.readouterr().out)["check"] == "kafka"
    assert ended.value.exit_code == 1


@pytest.mark.parametrize(
    ("names", "said"),
    [
        pytest.param(["a"], "a", id="one is named"),
        pytest.param(list("abcd"), "a, b, c, d", id="as many as are shown"),
        pytest.param(list("abcdefg"), "a, b, c, d and 3 more", id="a fresh cluster lacks all of them"),
    ],
)
def test_a_long_list_is_cut(names, said):
    assert cluster_checks._some(names) == said
