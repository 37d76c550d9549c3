"""The audit trail, on a real broker: each event once also under kill -9, verified, exported, and a chain drawn from change to effect."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from burnline.cli import app
from burnline.docs.samples import sample
from consumers import tracing, trail
from consumers.core.trail_chain import Head, head_of, linked, verify
from consumers.core.trail_entries import content
from infra.errors import BurnlineError, Fatal
from infra.kafka import topics
from infra.kafka.clients import producer
from infra.kafka.reader import read_to_end
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas import codec
from schemas.rekeyed import action_subject
from schemas.topics import topic

SOURCES = (
    "governance.alert.v1",
    "governance.action.v1",
    "ops.dead-letter.v1",
    "finance.invoice.v1",
    "people.consultant.v1",
)


class Firm:
    """A trail and its sources, all of this test's own."""

    def __init__(self, kafka: KafkaSettings, prefix: str) -> None:
        self.kafka, self.prefix = kafka, prefix
        self.trail = replace(topic("governance.trail.v1"), name=f"{prefix}trail")
        self.letters = replace(topic("ops.dead-letter.v1"), name=f"{prefix}letters", partitions=1)
        self.sources = {name: replace(topic(name), name=prefix + name, partitions=2) for name in SOURCES}
        own = [self.trail, self.letters, *self.sources.values()]
        topics.apply(kafka, topics.plan(kafka, own), own)
        self.writer = EventWriter(producer(kafka))

    def event(
        self,
        name: str,
        verb: str,
        *,
        cause: str | None = None,
        correlation: str | None = None,
        subject: str | None = None,
        **current,
    ):
        """Publish a sample event of a topic; returns its id."""
        event, contract = sample(topic(name)), topic(name)
        identity = str(uuid.uuid4())
        event["meta"] |= {
            "event_id": identity, "event_type": contract.event_type(verb), "causation_id": cause,
            "correlation_id": correlation or identity, "subject": subject or f"s:{uuid.uuid4()}",
        }  # fmt: skip
        event["current"] |= current
        self.writer.send(self.sources[name], event)
        self.writer.flush()
        return identity

    def entries(self):
        return list(trail.entries(self.kafka))

    def kept_until(self, count: int):
        """Keep the trail until it has so many entries; returns them."""
        stop, failed = threading.Event(), []

        def work():
            try:
                trail.keep(self.kafka, stop, self.sources.values())
            except BurnlineError as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for _ in range(240):
                if failed or len(self.entries()) >= count:
                    break
                time.sleep(0.25)
        finally:
            stop.set()
            thread.join()
        assert not failed
        return self.entries()


@pytest.fixture
def firm(kafka_bootstrap, topic_prefix, monkeypatch):
    made = Firm(KafkaSettings(bootstrap_servers=kafka_bootstrap), topic_prefix)
    monkeypatch.setattr(trail, "TOPIC", made.trail)
    monkeypatch.setattr(trail, "DEAD_LETTERS", made.letters)
    monkeypatch.setattr(trail, "TRAIL", f"{topic_prefix}trail")
    monkeypatch.setattr("infra.logs.configure", lambda _level: None)  # it would log into a file that the runner closes
    monkeypatch.setenv("BURNLINE_KAFKA__BOOTSTRAP_SERVERS", kafka_bootstrap)
    return made


def burnline(*arguments):
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def test_what_somebody_may_have_to_answer_for_is_entered_once_and_in_one_chain(firm):
    alert = firm.event("governance.alert.v1", "raised", rule="budget_burn.hours")
    firm.event("finance.invoice.v1", "changed")
    firm.event("finance.invoice.v1", "blocked")
    action = firm.event(
        "governance.action.v1", "overridden", cause=alert, correlation=alert, decided_by="ada", reason="agreed by phone"
    )
    discarded = firm.event("ops.dead-letter.v1", "discarded", decided_by="bea", note="a test")
    consultants = firm.sources["people.consultant.v1"].name
    firm.writer.send_bytes(consultants, b"odoo:firm:hr.employee:7", None, [("reason", b"request 1")])
    firm.writer.send_bytes(consultants, b"odoo:firm:hr.employee:7", None, [("reason", b"request 1"), ("again", b"")])
    firm.writer.send_bytes(consultants, b"odoo:firm:hr.employee:7", b"who", [])
    firm.writer.flush()

    entries = firm.kept_until(5)

    by_kind = {entry["kind"]: entry for entry in entries}
    assert sorted(by_kind) == ["erasure", "exception", "intervention", "override", "status"]
    assert (by_kind["override"]["actor"], by_kind["override"]["reason"]) == ("ada", "agreed by phone")
    assert (by_kind["override"]["event_id"], by_kind["override"]["correlation_id"]) == (action, alert)
    assert (by_kind["intervention"]["event_id"], by_kind["intervention"]["reason"]) == (discarded, "a test")
    assert (by_kind["erasure"]["subject"], by_kind["erasure"]["reason"]) == ("odoo:firm:hr.employee:7", "request 1")
    assert by_kind["exception"]["facts"]["rule"] == "budget_burn.hours"
    assert by_kind["status"]["event_type"] == "finance.invoice.blocked.v1"
    assert list(verify(entries)) == []
    assert firm.kept_until(5) == entries, "a second keeper goes on where the first ended"


def test_what_cannot_be_read_is_parked_and_the_trail_goes_on(firm):
    firm.writer.send_bytes(firm.sources["governance.alert.v1"].name, b"k", b"\x07rubbish")
    firm.writer.flush()
    firm.event("governance.alert.v1", "raised")

    assert len(firm.kept_until(1)) == 1
    (letter,) = read_to_end(firm.kafka, firm.letters.name)
    current = codec.decode(letter.value()).value["current"]
    assert (current["stage"], current["reason"]) == ("trail", "wrong_magic")


def filled(firm, count=6):
    for _ in range(count):
        firm.event("governance.alert.v1", "raised")
    return firm.kept_until(count)


def test_an_entry_put_onto_the_topic_by_another_is_found(firm):
    entries = filled(firm)
    assert burnline("trail", "verify")[0] == 0
    stranger = linked(
        Head(), {name: value for name, value in entries[0].items() if name not in {"number", "previous", "digest"}}
    )
    firm.writer.send(firm.trail, trail.trail_event(stranger), partition=0)
    firm.writer.flush()

    code, _, told = burnline("trail", "verify")

    assert code == 1
    assert "inserted:" in told
    assert "what to do:" in told


def test_a_keeper_goes_on_after_its_own_last_entry_whatever_others_put_there(firm):
    entries = filled(firm, 3)
    firm.writer.send_bytes(firm.trail.name, b"k", b"rubbish", partition=0)
    stranger = linked(
        Head(40, "0" * 64), {k: v for k, v in entries[0].items() if k not in {"number", "previous", "digest"}}
    )
    firm.writer.send(firm.trail, trail.trail_event(stranger), partition=0)
    firm.writer.flush()
    firm.event("governance.alert.v1", "raised")
    stop = threading.Event()
    thread = threading.Thread(target=trail.keep, args=(firm.kafka, stop, firm.sources.values()))
    thread.start()
    try:
        for _ in range(240):
            last = list(read_to_end(firm.kafka, firm.trail.name))[-1]
            if trail.entry_of(last)["number"] == 4:
                break
            time.sleep(0.25)
    finally:
        stop.set()
        thread.join()

    assert trail.entry_of(last)["previous"] == entries[-1]["digest"]
    code, _, told = burnline("trail", "verify")
    assert code == 1
    assert "foreign:" in told


def test_where_the_broker_forgot_how_far_it_was_the_chain_tells(firm, topic_prefix, monkeypatch):
    entries = filled(firm, 3)
    monkeypatch.setattr(trail, "TRAIL", f"{topic_prefix}trail-anew")  # another group has committed nothing
    firm.event("governance.alert.v1", "raised")

    again = firm.kept_until(4)

    assert again[:3] == entries
    assert (len(again), list(verify(again))) == (4, [])


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(lambda rows: rows[:2] + rows[3:], "removed", id="an entry removed"),
        pytest.param(
            lambda rows: [*rows[:2], {**rows[2], "reason": "another"}, *rows[3:]], "altered", id="an entry altered"
        ),
        pytest.param(lambda rows: [*rows[:3], rows[0], *rows[3:]], "inserted", id="an entry inserted"),
    ],
)
def test_a_topic_that_was_written_anew_with_a_change_is_found(firm, topic_prefix, monkeypatch, change, kind):
    """What nobody can do to a log in place can be done to a copy of it that takes its name."""
    forged = replace(firm.trail, name=f"{topic_prefix}forged")
    topics.apply(firm.kafka, topics.plan(firm.kafka, [forged]), [forged])
    for entry in change(filled(firm)):
        firm.writer.send(forged, trail.trail_event(entry), partition=0)
    firm.writer.flush()
    monkeypatch.setattr(trail, "TOPIC", forged)

    code, _, told = burnline("trail", "verify")

    assert code == 1
    assert f"{kind}:" in told


def test_an_export_is_verified_on_its_own_and_its_head_tells_a_chain_that_was_cut(firm, tmp_path, monkeypatch):
    entries = filled(firm)
    file = tmp_path / "trail.jsonl"

    code, head, _ = burnline("trail", "export", str(file))

    assert (code, head.strip()) == (0, str(head_of(entries[-1])))
    assert burnline("trail", "verify", "--file", str(file), "--head", head.strip())[:2] == (
        0,
        "6 entries, each as it was entered\n",
    )
    assert burnline("trail", "export", str(file))[0] == 1, "an export is not written over"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:-1]) + "\n")
    assert burnline("trail", "verify", "--file", str(file))[0] == 0, "the chain alone cannot tell"
    code, _, told = burnline("trail", "verify", "--file", str(file), "--head", head.strip())
    assert code == 1
    assert "cut, or written anew" in told


def test_what_is_exported_is_what_was_verified_and_nothing_is_left_where_it_was_not(firm, tmp_path, monkeypatch):
    """A chain that is changed between two readings would leave as an export that no reading verified."""
    entries, readings = filled(firm), []
    file = tmp_path / "trail.jsonl"

    def told(*_):
        readings.append(1)
        return iter(entries if len(readings) == 1 else entries[1:])

    monkeypatch.setattr(trail, "entries", told)
    code, head, _ = burnline("trail", "export", str(file))
    assert (code, head.strip()) == (0, str(head_of(entries[-1])))
    assert [json.loads(line)["number"] for line in file.read_text().splitlines()] == [1, 2, 3, 4, 5, 6]

    code, head, said = burnline("trail", "export", str(tmp_path / "another.jsonl"))
    assert (code, head) == (1, "")
    assert "removed:" in said
    assert list(tmp_path.iterdir()) == [file]

    done = CliRunner().invoke(app, ["trail", "export", str(tmp_path / "nowhere" / "trail.jsonl")])
    assert isinstance(done.exception, Fatal)
    assert "No such file or directory" in str(done.exception)


def test_entries_are_found_by_correlation(firm):
    alert = firm.event("governance.alert.v1", "raised")
    firm.event("governance.action.v1", "succeeded", cause=alert, correlation=alert)
    firm.event("governance.alert.v1", "raised")
    firm.kept_until(3)

    code, out, _ = burnline("trail", "list", "--correlation", alert, "--json")

    assert code == 0
    assert {json.loads(line)["event_type"] for line in out.splitlines()} == {
        "governance.alert.raised.v1",
        "governance.action.succeeded.v1",
    }


def test_a_chain_is_drawn_from_the_change_to_the_last_effect(firm):
    change = firm.event("finance.invoice.v1", "blocked")
    other = firm.event("finance.invoice.v1", "blocked")
    alert = firm.event("governance.alert.v1", "raised", cause=change, correlation=change, caused_by=[other, change])
    action = firm.event("governance.action.v1", "succeeded", cause=alert, correlation=change)
    letter = firm.event("ops.dead-letter.v1", "parked", cause=alert, correlation=change)

    nodes = tracing.trace(firm.kafka, change, firm.sources.values())

    assert {node.event_id for node in nodes} == {change, alert, action, letter}
    assert {node.event_id for node in tracing.trace(firm.kafka, other, firm.sources.values())} >= {
        other,
        alert,
        action,
        letter,
    }


def test_a_chain_is_found_by_the_action_of_the_worklist_and_by_its_alert(firm):
    mine, theirs, about = (str(uuid.uuid4()) for _ in range(3))
    change = firm.event("finance.invoice.v1", "blocked")
    chain = {"correlation": change, "alert_id": about}
    alert = firm.event("governance.alert.v1", "raised", cause=change, caused_by=[change], **chain)
    chain["cause"] = alert
    action = firm.event(
        "governance.action.v1", "succeeded", subject=action_subject(mine, "succeeded"), action_id=mine, **chain
    )
    decided = firm.event(
        "governance.action.v1", "overridden", subject=action_subject(theirs, "overridden"), action_id=theirs,
        alert_id=about, correlation=change,
    )  # fmt: skip
    firm.event("governance.action.v1", "succeeded", action_id=str(uuid.uuid4()), alert_id=str(uuid.uuid4()))

    for identity in (mine, theirs, about):
        nodes = tracing.trace(firm.kafka, identity, firm.sources.values())
        assert {node.event_id for node in nodes} == {change, alert, action, decided}
    with pytest.raises(Fatal, match="nothing has the id") as raised:
        tracing.trace(firm.kafka, mine[:8], firm.sources.values())
    assert "whole id of an event, a correlation, an action" in raised.value.remedy


KILLED = """
import os, signal, sys, threading
from dataclasses import replace
from consumers import trail
from infra.settings import KafkaSettings
from schemas.topics import topic

bootstrap, prefix, step = sys.argv[1:]
names = ("governance.alert.v1",)
trail.TOPIC = replace(trail.TOPIC, name=prefix + "trail")
trail.TRAIL = prefix + "trail"
real, commits = trail.transactional_producer, []

class Dying:
    def __init__(self, producer):
        self.producer = producer
    def __getattr__(self, name):
        return getattr(self.producer, name)
    def commit_transaction(self, *given):
        if step == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        self.producer.commit_transaction(*given)
        os.kill(os.getpid(), signal.SIGKILL)

trail.transactional_producer = lambda *given, **more: Dying(real(*given, **more))
trail.AT_ONCE = 2
trail.keep(KafkaSettings(bootstrap_servers=bootstrap), threading.Event(), [replace(topic(name), name=prefix + name) for name in names])
"""


@pytest.mark.drill
def test_killed_before_and_after_its_commits_the_keeper_enters_everything_once(firm):
    wanted = [firm.event("governance.alert.v1", "raised") for _ in range(6)]
    for step in ("before", "after"):
        command = [sys.executable, "-c", KILLED, firm.kafka.bootstrap_servers or "", firm.prefix, step]
        assert subprocess.run(command, check=False, env={**os.environ}, timeout=120).returncode == -signal.SIGKILL

    entries = firm.kept_until(6)

    assert sorted(entry["event_id"] for entry in entries) == sorted(wanted)
    assert list(verify(entries)) == []


def test_of_two_keepers_the_first_is_fenced_and_nothing_is_doubled(firm):
    stop, ended = threading.Event(), []

    def first():
        try:
            trail.keep(firm.kafka, stop, firm.sources.values())
        except BurnlineError as error:
            ended.append(error)

    thread = threading.Thread(target=first)
    firm.event("governance.alert.v1", "raised")
    thread.start()
    try:
        for _ in range(240):
            if firm.entries():
                break
            time.sleep(0.25)
        firm.event("governance.alert.v1", "raised")
        entries = firm.kept_until(2)
        firm.event("governance.alert.v1", "raised")  # the first one wakes up, and must not enter it
        for _ in range(240):
            if ended:
                break
            time.sleep(0.25)
    finally:
        stop.set()
        thread.join()
    assert [entry["number"] for entry in entries][:2] == [1, 2]
    assert "took over" in str(ended[0]) or "enced" in str(ended[0])
    after = firm.kept_until(3)
    assert (len(after), list(verify(after))) == (3, [])


@pytest.mark.parametrize("name", SOURCES[:-1])
def test_the_content_of_an_entry_is_one_that_a_chain_takes(name):
    contract = topic(name)
    assert linked(Head(), content(contract, sample(contract), 0, 0))["number"] == 1
