"""`burnline policy` as a person calls it: lines of mistakes, and history with another policy."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas.topics import topic
from tests.support.governing import HOUR, cleared, raised
from tests.support.guarded import burnline

WRONG = """\
rules:
  - name: one
    ownr: platform
    then: [{target: log}]
    quiet: {zone: Mars/Olympus, days: [sun]}
"""
POLICY = """\
rules:
  - name: try
    owner: owner
    when: {rule: "RULE"}
    then: [{target: log}]
    alternates: [alternate]
    service_level: PT4H
    escalation: [{freeze: invoicing, after: P1D}]
"""


def test_every_mistake_is_told_with_its_line_and_the_status_says_so(tmp_path: Path) -> None:
    file = tmp_path / "firm.yaml"
    file.write_text(WRONG)
    done = burnline("policy", "check", str(file))

    assert done.returncode == 1
    assert [line.split(":")[1] for line in done.stdout.splitlines()[::2]] == ["2", "3", "5"]
    assert "owner: it is needed, and not there" in done.stdout
    assert "'Mars/Olympus' is no IANA time zone" in done.stdout
    assert done.stdout.count("what to do:") == 3
    rows = [json.loads(line) for line in burnline("policy", "check", str(file), "--json").stdout.splitlines()]
    assert [row["line"] for row in rows] == [2, 3, 5]
    assert all(row["file"] == str(file) and row["remedy"] for row in rows)


def test_what_is_right_or_not_there_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "firm.yaml").write_text(POLICY.replace("RULE", "budget_burn.*"))

    assert burnline("policy", "check", str(tmp_path / "firm.yaml")).returncode == 0
    assert burnline("policy", "check", BURNLINE_CONFIG=str(tmp_path / "firm.yaml")).returncode == 2  # it has no section
    assert "the packaged policy: nothing is wrong" in burnline("policy", "check").stdout
    missing = burnline("policy", "check", str(tmp_path / "none.yaml"))
    assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)


@pytest.mark.kafka
def test_history_is_tried_with_another_policy(kafka_bootstrap: str, tmp_path: Path) -> None:
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    topics.apply(kafka, topics.plan(kafka))
    rule = f"budget_burn.try-{uuid.uuid4().hex}"
    event = raised(f"odoo:firm:project.project:{uuid.uuid4().int % 10**9}", rule=rule)
    over = cleared(event)
    over["meta"]["occurred_at"] = event["meta"]["occurred_at"] + 30 * HOUR
    writer = EventWriter(producer(kafka))
    for one in (event, over):
        writer.send(topic("governance.alert.v1"), one)
    writer.flush()
    file = tmp_path / "firm.yaml"
    file.write_text(POLICY.replace("RULE", rule))

    def tried(*arguments: str) -> Any:
        done = burnline("policy", "try", "--since", "2026-03-30", "--until", "2026-04-02", *arguments, str(file),
                        BURNLINE_KAFKA__BOOTSTRAP_SERVERS=kafka_bootstrap)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    rows = [json.loads(line) for line in tried("--json").splitlines()]
    assert [(row["at"], row["what"], row["who"]) for row in rows] == [
        ("2026-03-30T08:00:00+00:00", "acted", "owner"),
        ("2026-03-30T12:00:00+00:00", "escalated", "alternate"),
        ("2026-03-31T12:00:00+00:00", "escalated", ""),
        ("2026-03-31T12:00:00+00:00", "frozen", "owner"),
        ("2026-03-31T14:00:00+00:00", "cleared", "owner"),
        ("2026-03-31T14:00:00+00:00", "closed", ""),
        ("2026-03-31T14:00:00+00:00", "released", "owner"),
    ]
    assert "service level missed" in tried()
