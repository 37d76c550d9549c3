"""`burnline dlq retry` of actions that were given up, on a real broker: done once when the target is mended, and in order."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from burnline.cli import app
from consumers import dead_letters, dead_letters_desk
from consumers.actions import execution
from consumers.actions.policy import load_policy
from consumers.by_hand import decide
from consumers.core.letters import owned
from infra.settings import KafkaSettings
from tests.support.actions import RUNNER, Firm, Receiver, acting, hook, process, wait_for
from tests.support.deadly import DEADLY, POINTS

pytestmark = pytest.mark.kafka
GONE = [(500, {})] * 3


@pytest.fixture
def firm(kafka: KafkaSettings, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Firm:
    monkeypatch.setattr(dead_letters_desk, "DESK", f"{topic_prefix}desk")  # others retry at the same time
    monkeypatch.setattr("infra.logs.configure", lambda _level: None)  # it would log into a file that the runner closes
    monkeypatch.setenv("BURNLINE_KAFKA__BOOTSTRAP_SERVERS", str(kafka.bootstrap_servers))
    return Firm(kafka)


def letters(firm: Firm, event: Any) -> list[Any]:
    """The letters about an alert, as the queue has them."""
    found = dead_letters.queue(firm.settings()).letters.values()
    return [one for one in found if one.event["meta"]["causation_id"] == event["meta"]["event_id"]]


def open_letter(firm: Firm, event: Any, attempts: int) -> str:
    """The id of the one letter about an alert, once it is open after so many attempts."""
    [found] = wait_for(
        lambda: [one for one in letters(firm, event) if one.open and one.event["current"]["attempts"] == attempts]
    )
    return found.identity


@pytest.fixture
def retry(tmp_path: Path) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    """`dlq retry` under a policy: its exit status, and what it said."""
    return partial(retried, tmp_path / "firm.yaml")


def retried(file: Path, config: Any, *identities: str) -> tuple[int, list[dict[str, Any]]]:
    file.write_text(yaml.safe_dump(config))
    given = ["dlq", "retry", *identities, "--reason", "the target is mended", "--yes", "--json"]
    done = CliRunner(env={"BURNLINE_CONFIG": str(file), "BURNLINE_OPERATOR__NAME": "ada"}).invoke(app, given)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    rows = [line for line in done.stdout.splitlines() if line.startswith("{")]  # between them runners of the test log
    return done.exit_code, [json.loads(row) for row in rows]


def given_up(firm: Firm, receiver: Receiver, config: Any, event: Any) -> str:
    """The id of the letter about an alert whose action was given up by a runner that is gone."""
    receiver.answers["/a"] = list(GONE)
    firm.publish(event)
    with acting(firm.settings(), config):
        firm.ended(event)
    assert firm.statuses(event)[-1] == "abandoned"
    return open_letter(firm, event, 3)


def test_it_is_done_once_when_the_target_is_mended_and_the_numbers_go_on(firm, receiver, retry):
    receiver.answers["/a"] = list(GONE) * 2
    config, event = firm.policy(hook(receiver, "/a"), hook(receiver, "/b", name="other")), firm.alert()
    firm.publish(event)

    with acting(firm.settings(), config):
        identity = open_letter(firm, event, 3)
        code, [row] = retry(config, identity)
        assert (code, row["outcome"], row["how"]) == (0, "retried", "as a new attempt")
        assert open_letter(firm, event, 6) == identity, (
            "it failed again: the same letter, with the whole schedule behind it"
        )
        assert retry(config, identity)[0] == 0
        wait_for(lambda: firm.statuses(event).count("succeeded") == 2)
        code, [row] = retry(config, identity)
        assert (code, row["outcome"], row["how"]) == (1, "refused", "it was retried already")
    with acting(firm.settings(group=f"again-{firm.id}"), config):  # everything once more, the copies, too
        firm.publish(last := firm.alert())
        firm.ended(last)

    mine = [(step["status"], step["attempt"]) for step in firm.actions(event) if step["target"] == "webhook"]
    tried = [[("attempted", n), ("failed", n)] for n in range(1, 7)]
    assert mine == [
        ("requested", 0), *chain(*tried[:3]), ("abandoned", 3), ("requested", 4), *chain(*tried[3:]), ("abandoned", 6),
        ("requested", 7), ("attempted", 7), ("succeeded", 7),
    ]  # fmt: skip
    asked = [step for step in firm.actions(event) if step["status"] == "requested" and step["attempt"]]
    assert {(step["decided_by"], step["reason"]) for step in asked} == {("ada", "the target is mended")}
    assert len({webhook_id for _, webhook_id, _ in receiver.at("/a")[:7]}) == 1
    assert len(receiver.at("/b")) == 2, "the other target had it already: one each"


def test_two_targets_of_one_alert_go_back_together_each_once(firm, receiver, retry):
    receiver.answers |= {"/a": list(GONE), "/b": list(GONE)}
    config, event = firm.policy(hook(receiver, "/a"), hook(receiver, "/b", name="other")), firm.alert()
    firm.publish(event)
    with acting(firm.settings(), config):
        both = wait_for(lambda: found if len(found := letters(firm, event)) == 2 else None)
        wait_for(lambda: firm.statuses(event).count("abandoned") == 2)
        code, rows = retry(config, *(one.identity for one in both))
        assert (code, [row["outcome"] for row in rows]) == (0, ["retried"] * 2)
        wait_for(lambda: firm.statuses(event).count("succeeded") == 2)

    assert [len(receiver.at(path)) for path in ("/a", "/b")] == [4, 4]


def of_an_older_release(*given: Any) -> Any:
    """A letter as it was made before it named its action."""
    made = owned(*given)
    made["current"]["action_id"] = None
    return made


def test_letters_of_an_older_release_go_back_too_each_to_its_action(firm, receiver, retry, monkeypatch):
    receiver.answers |= {"/a": list(GONE), "/b": list(GONE)}
    config, event = firm.policy(hook(receiver, "/a"), hook(receiver, "/b", name="other")), firm.alert()
    firm.publish(event)
    with monkeypatch.context() as before, acting(firm.settings(), config):
        before.setattr(execution, "owned", of_an_older_release)
        wait_for(lambda: firm.statuses(event).count("abandoned") == 2)
    [mine] = [one.identity for one in letters(firm, event) if "/webhook " in one.event["current"]["error"]]

    code, [row] = retry(config, mine)
    assert (code, row["outcome"], row["how"]) == (0, "retried", "as a new attempt")
    with acting(firm.settings(), config):
        wait_for(lambda: "succeeded" in firm.statuses(event))

    assert [len(receiver.at(path)) for path in ("/a", "/b")] == [4, 3], (
        "of two actions about one alert, the letter's own"
    )


def test_a_letter_of_an_action_that_nobody_knows_is_refused(firm, receiver, retry, monkeypatch):
    config, event = firm.policy(hook(receiver, "/a")), firm.alert()
    with monkeypatch.context() as before:
        before.setattr(execution, "owned", lambda *given: of_an_older_release(*given) | {"meta": strayed(*given)})
        identity = given_up(firm, receiver, config, event)

    code, [row] = retry(config, identity)

    assert (code, row["how"]) == (1, "nothing is known of its action")
    assert "override" not in row["remedy"], "what nobody knows cannot be overridden"


def strayed(*given: Any) -> Any:
    return owned(*given)["meta"] | {"event_id": str(uuid.uuid4())}


def test_what_tells_the_owner_can_be_tried_again_and_the_action_itself_is_not(firm, receiver, retry):
    receiver.answers |= {"/a": list(GONE), "/owner": list(GONE)}
    config, event = firm.policy(hook(receiver, "/a")), firm.alert()
    config["actions"]["rules"][0]["otherwise"] = [hook(receiver, "/owner", name="owner")]
    firm.publish(event)
    with acting(firm.settings(), config):
        wait_for(lambda: firm.statuses(event).count("abandoned") == 2)
        [told] = [one.identity for one in letters(firm, event) if "/owner" in one.event["current"]["error"]]
        assert retry(config, told)[0] == 0
        wait_for(lambda: "succeeded" in firm.statuses(event))

    assert [len(receiver.at(path)) for path in ("/a", "/owner")] == [3, 4]


def test_behind_newer_news_of_the_alert_it_is_refused(firm, receiver, retry):
    config, event = firm.policy(hook(receiver, "/a")), firm.alert()
    identity = given_up(firm, receiver, config, event)
    cleared = {
        "meta": {**event["meta"], "version": event["meta"]["version"] + 1},
        "current": {**event["current"], "status": "cleared"},
    }
    firm.publish(cleared)

    code, [row] = retry(config, identity)

    assert (code, row["outcome"]) == (1, "refused")
    assert "a newer record of" in row["how"]
    assert firm.statuses(event) == ["requested", *["attempted", "failed"] * 3, "abandoned"]


def test_what_was_done_by_hand_or_may_have_been_done_is_refused(firm, receiver, retry):
    config, event = firm.policy(hook(receiver, "/a")), firm.alert()
    by_hand = given_up(firm, receiver, config, event)
    policy = load_policy(config)
    decide(firm.settings(), policy, firm.actions(event)[0]["action_id"], "done_by_hand", "called the client")
    chat = firm.policy({"target": "slack", "channel": "ops"})
    doubtful = firm.alert()
    receiver.answers["/chat"] = [(502, {})] * 2  # also for the first alert, which it reads again
    firm.publish(doubtful)
    with acting(firm.settings(group=f"chat-{firm.id}", chat_urls={"ops": receiver.url("/chat")}), chat):
        wait_for(lambda: "uncertain" in firm.statuses(doubtful))

    code, rows = retry(config, by_hand, open_letter(firm, doubtful, 1))

    assert (code, {row["outcome"] for row in rows}) == (1, {"refused"})
    assert [row["how"] for row in rows] == [
        "a person decided about its action",
        "it may have been done, and its target would do it twice",
    ]


def test_what_the_policy_has_no_more_is_refused_and_a_runner_of_another_policy_leaves_it_alone(firm, receiver, retry):
    config, event = firm.policy(hook(receiver, "/a")), firm.alert()
    identity = given_up(firm, receiver, config, event)
    code, [row] = retry(firm.policy({"target": "log"}), identity)
    assert (code, row["how"]) == (1, "the policy has no test/webhook any more")

    assert retry(config, identity)[0] == 0
    with acting(firm.settings(group=f"other-{firm.id}"), firm.policy({"target": "log"})):
        firm.publish(last := firm.alert(event["meta"]["subject"], episode=2))
        firm.ended(last)
    assert [step["status"] for step in firm.actions(event) if step["target"] == "webhook"][-1] == "requested"
    with acting(firm.settings(), config):
        wait_for(lambda: "succeeded" in [step["status"] for step in firm.actions(event) if step["target"] == "webhook"])

    assert len(letters(firm, event)) == 1


@pytest.mark.drill
@pytest.mark.parametrize("point", POINTS[:2])
def test_killed_at_any_step_of_the_new_attempt_it_counts_once(firm, receiver, retry, point):
    config, event = firm.policy(hook(receiver, "/a")), firm.alert()
    assert retry(config, given_up(firm, receiver, config, event))[0] == 0
    with process(firm, config, DEADLY + RUNNER, POINT=point) as runner:
        assert runner.wait(90) == -signal.SIGKILL

    with acting(firm.settings(), config):
        firm.publish(last := firm.alert(event["meta"]["subject"], episode=2))
        firm.ended(last)  # behind it in its lane

    assert firm.statuses(event)[-1] == "succeeded"
    deliveries = [webhook_id for _, webhook_id, body in receiver.seen if body["id"] == event["meta"]["event_id"]]
    assert len(set(deliveries)) == 1
    assert len(deliveries) == 3 + (2 if point == "before the record" else 1)
