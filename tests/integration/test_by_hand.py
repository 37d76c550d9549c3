"""Going on by hand on a real broker: what a person has done, or does not want, is never sent, whenever the target comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from consumers.actions.policy import load_policy
from consumers.by_hand import board, decide, principal
from consumers.tracing import trace
from infra.errors import Fatal
from infra.settings import OperatorSettings, Settings
from tests.support.actions import Firm, Receiver, acting, hook, wait_for
from tests.support.guarded import burnline

pytestmark = pytest.mark.kafka


def named(firm: Firm, name: str, **changed: Any) -> Settings:
    return firm.settings(**changed).model_copy(update={"operator": OperatorSettings(name=name)})


def pending(firm: Firm, config: dict[str, Any]) -> list[Any]:
    """What is on the worklist of this firm."""
    return [item for item in board(firm.kafka, load_policy(config)).items() if item.alert.startswith(f"test-{firm.id}")]


def two_pending(firm: Firm, config: dict[str, Any]) -> list[Any]:
    found: list[Any] = wait_for(lambda: items if len(items := pending(firm, config)) == 2 else None)
    return found


def test_what_was_done_by_hand_while_the_target_was_down_is_never_sent(firm: Firm, receiver: Receiver) -> None:
    receiver.answers["/a"] = [(503, {})]
    config = firm.policy(hook(receiver, "/a"))
    first, second = firm.alert(), None
    firm.publish(first)

    with acting(firm.settings(timeout=30.0, schedule=(300.0, 300.0)), config):  # its next attempt is minutes away
        wait_for(lambda: firm.statuses(first)[-1:] == ["failed"])
        [item] = pending(firm, config)
        assert item.state == "failed, attempt 1; HTTP 503"
        said = decide(named(firm, "ann"), load_policy(config), item.id, "done_by_hand", "called the client")
        second = firm.alert(first["meta"]["subject"], episode=2)
        firm.publish(second)
        firm.ended(second)  # the lane of the subject goes on at once
        assert pending(firm, config) == []
    # everything again, with a target that is up
    with acting(firm.settings(timeout=30.0, group=f"again-{firm.id}"), config):
        firm.publish(last := firm.alert())
        firm.ended(last)

    assert (said["decided_by"], said["reason"]) == ("ann", "called the client")
    assert firm.statuses(first) == ["requested", "attempted", "failed", "overridden"]
    assert [body["id"] for _, _, body in receiver.seen] == [e["meta"]["event_id"] for e in (first, second, last)]


def test_what_is_decided_while_the_runner_is_down_counts_when_it_comes_back(firm: Firm, receiver: Receiver) -> None:
    config = firm.policy(hook(receiver, "/a"))
    skipped, wanted = firm.alert(), firm.alert()
    firm.publish(skipped, wanted)
    items = two_pending(firm, config)
    assert {(item.who, item.state, item.todo) for item in items} == {
        ("owners", "not begun", "tell whoever is behind the webhook")
    }
    [mine] = [item for item in items if item.about == skipped["meta"]["subject"]]
    [chain] = trace(firm.kafka, mine.id, policy=lambda: load_policy(config))
    assert chain.event_id == skipped["meta"]["event_id"], "an action that nobody has begun is known by its alert"
    decide(named(firm, "ann"), load_policy(config), mine.id, "skipped", "the client has left")

    with acting(firm.settings(timeout=30.0), config):
        firm.ended(wanted)

    assert firm.statuses(skipped) == ["overridden"]
    assert [body["id"] for _, _, body in receiver.seen] == [wanted["meta"]["event_id"]]


def test_where_two_are_wanted_one_changes_nothing_and_nobody_is_two(firm: Firm, receiver: Receiver) -> None:
    config = firm.policy(hook(receiver, "/a"))
    rule: dict[str, Any] = config["actions"]["rules"][0]
    rule["dual_control"] = True
    policy = load_policy(config)
    one, both = firm.alert(), firm.alert()
    firm.publish(one, both)
    items = {item.about: item.id for item in two_pending(firm, config)}
    for event in (one, both):
        said = decide(named(firm, "ann"), policy, items[event["meta"]["subject"]], "skipped", "no use")
        assert said["status"] == "override_requested"
    with pytest.raises(Fatal, match="ann asked for it already"):
        decide(named(firm, "ann"), policy, items[both["meta"]["subject"]], "skipped", "no use")
    said = decide(named(firm, "bob"), policy, items[both["meta"]["subject"]], "skipped", "right")
    assert (said["status"], said["decided_by"], said["confirmed_by"]) == ("overridden", "ann", "bob")

    with acting(firm.settings(timeout=30.0), config):
        firm.ended(one)

    assert firm.statuses(one)[-1] == "succeeded"
    assert firm.statuses(both) == ["override_requested", "overridden"]
    assert [body["id"] for _, _, body in receiver.seen] == [one["meta"]["event_id"]]


def test_what_was_given_up_is_done_by_hand_and_off_the_list(firm: Firm, receiver: Receiver) -> None:
    receiver.answers["/a"] = [(410, {})]
    config = firm.policy(hook(receiver, "/a"))
    event = firm.alert()
    firm.publish(event)
    with acting(firm.settings(timeout=30.0), config):
        firm.ended(event)
    [item] = pending(firm, config)
    assert item.state.startswith("abandoned")

    decide(named(firm, "ann"), load_policy(config), item.id, "done_by_hand", "called the client")
    assert pending(firm, config) == []
    with pytest.raises(Fatal, match="nothing is pending"):
        decide(named(firm, "ann"), load_policy(config), item.id, "done_by_hand", "called the client")


def test_the_commands_list_what_is_pending_and_take_a_decision(firm: Firm, receiver: Receiver, tmp_path: Any) -> None:
    config = firm.policy(hook(receiver, "/a"))
    (tmp_path / "firm.yaml").write_text(yaml.safe_dump(config))
    event = firm.alert()
    firm.publish(event)
    environment = {
        "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": firm.kafka.bootstrap_servers or "",
        "BURNLINE_CONFIG": str(tmp_path / "firm.yaml"),
        "BURNLINE_OPERATOR__NAME": "ann",
    }
    subject = event["meta"]["subject"]

    listed = burnline("worklist", "--json", "--kind", "webhook", **environment)
    assert listed.returncode == 0, listed.stderr
    [item] = [row for row in map(json.loads, listed.stdout.splitlines()) if row["about"] == subject]
    assert (item["who"], item["state"]) == ("owners", "not begun")
    table = burnline("worklist", "--who", "owners", **environment)
    assert "not begun" in table.stdout
    assert "burnline override ID done-by-hand" in table.stderr

    short = burnline("override", item["id"], "done-by-hand", "--reason", "x", **environment)
    assert (short.returncode, "the reason has 1 characters" in short.stderr) == (2, True)
    done = burnline("override", item["id"], "done-by-hand", "--reason", "called the client", **environment)
    assert (done.returncode, done.stdout.strip()) == (0, "done-by-hand by ann")
    again = burnline("override", item["id"], "skipped", "--reason", "called the client", **environment)
    assert (again.returncode, "nothing is pending under" in again.stderr) == (2, True)


def test_where_the_broker_checks_names_nobody_takes_another(firm: Firm) -> None:
    checked = firm.kafka.model_copy(update={"sasl_username": "ann"})
    assert principal(Settings(kafka=checked, operator=OperatorSettings(name="bob"))) == "ann"
    assert principal(Settings(kafka=firm.kafka, operator=OperatorSettings(name="bob"))) == "bob"
