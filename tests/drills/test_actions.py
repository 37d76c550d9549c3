"""Drills of delivery: runners are killed, paused and started twice, targets and the broker go away; then effects are counted at the target.

One effect for each action, where the target tells doubles apart or the ledger can tell. Where neither can (a crash between a call to a
chat or a mail server and its record), none is sent twice: the action is `uncertain`, and a dead letter asks its owner.
"""

import os
import signal
import socket
import threading
import time
from collections import Counter

import pytest

from infra.embedded_kafka import EmbeddedKafka
from infra.odoo import connect
from infra.settings import MailSettings, OdooSettings
from tests.support.actions import RUNNER, Firm, Receiver, acting, hook, prepared, process, wait_for
from tests.support.deadly import DEADLY, POINTS
from tests.support.mail import MailServer
from tests.support.ports import free_port

pytestmark = [pytest.mark.drill, pytest.mark.kafka]
LONG = os.environ.get("BURNLINE_TEST_LONG")
"""Set for the variant that takes minutes: an outage as long as a real one."""


def chat(receiver):
    """The policy's target and the settings for a chat that takes as much as is sent."""
    return {"target": "slack", "channel": "ops", "per_second": 100_000}, {"ops": receiver.url("/chat")}


def killed(firm, config, point, **env):
    """A runner that kills itself at this point."""
    with process(firm, config, DEADLY + RUNNER, POINT=point, **env) as runner:
        assert runner.wait(90) == -signal.SIGKILL


def restarted(firm, config, event, **settings):
    """What the ledger says in the end, once another runner has read all alerts from the beginning, and acted upon one more."""
    with acting(firm.settings(group=f"second-{firm.id}", **settings), config):
        firm.publish(last := firm.alert())
        firm.ended(event, last)
    return firm.statuses(event)[-1], len(firm.letters(event))


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_step_a_webhook_counts_once(firm, receiver, point):
    config, event = firm.policy(hook(receiver, "/a")), firm.alert()
    firm.publish(event)
    killed(firm, config, point)

    assert restarted(firm, config, event) == ("succeeded", 0)
    mine = [webhook_id for _, webhook_id, body in receiver.seen if body["id"] == event["meta"]["event_id"]]
    assert len(set(mine)) == 1
    assert len(mine) == (2 if point == "before the record" else 1)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_step_a_chat_never_gets_two_and_its_owner_is_asked(firm, receiver, point):
    target, urls = chat(receiver)
    config, event = firm.policy(target), firm.alert()
    firm.publish(event)
    killed(firm, config, point, BURNLINE_ACTIONS__CHAT_URLS__OPS=urls["ops"])
    sent = len(receiver.seen)

    done = restarted(firm, config, event, chat_urls=urls)

    assert sent == (0 if point == "before the call" else 1)
    assert len(receiver.seen) == sent + 1  # that of the later alert
    assert done == (("succeeded", 0) if point == "after the record" else ("uncertain", 1))
    for letter in firm.letters(event):
        assert "may have been done" in letter["current"]["error"]
        assert letter["current"]["owner"] == "owners"
        assert "slack ops" in letter["current"]["remedy"]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_step_nobody_gets_two_mails(firm, point):
    config, event = firm.policy({"target": "mail", "to": ["boss@firm.example"]}), firm.alert()
    firm.publish(event)
    with MailServer() as server:
        given = {"host": "127.0.0.1", "port": server.port, "tls": "none", "sender": "b@firm.example"}
        killed(firm, config, point, **{f"BURNLINE_MAIL__{name.upper()}": str(value) for name, value in given.items()})
        sent = len(server.taken)

        done = restarted(firm, config, event, mail=MailSettings(**given))

    assert sent == (0 if point == "before the call" else 1)
    assert len(server.taken) == sent + 1
    assert done == (("succeeded", 0) if point == "after the record" else ("uncertain", 1))


@pytest.mark.odoo
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_step_odoo_has_one_activity(firm, real_odoo, point):
    names = {"ODOO_URL": real_odoo.url, "ODOO_DB": real_odoo.db, "ODOO_USER": real_odoo.user}
    odoo = OdooSettings(url=real_odoo.url, db=real_odoo.db, user=real_odoo.user, password=real_odoo.password)
    client = connect(odoo)
    [project] = client.call("project.project", "create", vals_list=[{"name": f"drill {firm.id}"}])
    subject = f"odoo:{real_odoo.db}:project.project:{project}"
    config, event = firm.policy({"target": "odoo_activity"}), firm.alert(subject)
    try:
        firm.publish(event)
        killed(firm, config, point, **names, ODOO_PASSWORD=real_odoo.password)
        with acting(firm.settings(group=f"second-{firm.id}"), config, odoo):
            firm.publish(last := firm.alert(subject, episode=2))
            firm.ended(event, last)
        found = client.search("mail.activity", [("res_model", "=", "project.project"), ("res_id", "=", project)])
    finally:
        client.call("project.project", "unlink", [project])

    assert firm.statuses(event)[-1] == "succeeded"
    assert len(found) == 2  # one each


def succeeded_once(firm, receiver, events):
    """Each alert succeeded, and the receiver took each exactly once as far as it can tell."""
    wait_for(lambda: all("succeeded" in firm.statuses(event) for event in events), 400 if LONG else 90)
    took = Counter(webhook_id for _, webhook_id, _ in receiver.seen)
    assert len(took) == len(events)


@pytest.mark.timeout(1200)
def test_a_target_that_is_down_gets_everything_once_when_it_is_back(firm):
    port = free_port()
    events = [firm.alert() for _ in range(20)]
    config = firm.policy({"target": "webhook", "url": f"http://127.0.0.1:{port}/a", "secret": "n8n"})
    schedule = {"schedule": (5.0, *(60.0,) * 10) if LONG else (0.2,) * 30}
    firm.publish(*events)
    down = socket.socket()  # bound, not listening: connections are refused, and nobody else gets the port
    down.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    down.bind(("127.0.0.1", port))

    with acting(firm.settings(**schedule), config):
        # not all of them: once the circuit is open, those that wait cost no attempt
        wait_for(lambda: any("failed" in firm.statuses(event) for event in events))
        time.sleep(300 if LONG else 2)
        down.close()
        with Receiver(port=port) as back:
            succeeded_once(firm, back, events)
            assert len(back.seen) == len(events)


PAGE = (200, {"content-type": "text/html"}, b"<html>we are sorry</html>")


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param([(503, {}), (200, {}, b"ok")] * 10, id="flapping"),
        pytest.param([PAGE] * 8, id="a page for an answer"),
        pytest.param([(429, {"Retry-After": "1"}), (500, {}), (404, {}), PAGE, (503, {})], id="everything at once"),
    ],
)
def test_a_target_in_trouble_gets_everything_once(firm, receiver, trouble):
    """Of bad answers that come once the circuit is open, each costs a pause twice as long as the one before: even if all do, these are over in half a minute."""
    receiver.answers["/a"] = list(trouble)
    events = [firm.alert() for _ in range(20)]
    firm.publish(*events)

    with acting(firm.settings(schedule=(0.1,) * 30), firm.policy(hook(receiver, "/a"))):
        succeeded_once(firm, receiver, events)


def test_a_slow_target_holds_up_no_other(firm, receiver):
    receiver.answers["/slow"] = [("hold", {})] * 500
    events = [firm.alert() for _ in range(200)]
    firm.publish(*events)

    with acting(firm.settings(timeout=30), firm.policy(hook(receiver, "/slow", name="slow"), hook(receiver, "/fast"))):
        wait_for(lambda: len(receiver.at("/fast")) == 200)
        assert len(receiver.at("/slow")) < 200
        receiver.release.set()


def test_a_broker_that_dies_during_a_call_costs_no_chat_message_and_doubles_none(tmp_path):
    broker = EmbeddedKafka(tmp_path / "kafka", port=free_port())
    broker.start()
    try:
        firm = Firm(prepared(broker.bootstrap_servers))
        with Receiver() as receiver:
            target, urls = chat(receiver)
            receiver.answers["/chat"] = [("hold", {}, b"ok")]
            first, second = firm.alert(), firm.alert()
            firm.publish(first)
            with acting(firm.settings(chat_urls=urls, timeout=60), firm.policy(target)):
                assert receiver.held.wait(60)
                broker.kill()
                receiver.release.set()  # it was taken; nobody can record that now
                time.sleep(3)
                broker.start()
                firm.publish(second)
                firm.ended(first, second)
            assert [firm.statuses(event) for event in (first, second)] == [["requested", "attempted", "succeeded"]] * 2
            assert len(receiver.seen) == 2
    finally:
        broker.stop()


def test_a_runner_that_is_started_twice_or_paused_sends_nothing_twice(firm, receiver):
    target, urls = chat(receiver)
    config, env = firm.policy(target), {"BURNLINE_ACTIONS__CHAT_URLS__OPS": urls["ops"]}
    events = []

    def flow(stop):
        while not stop.wait(0.1):
            events.append(event := firm.alert())
            firm.publish(event)

    stop = threading.Event()
    flowing = threading.Thread(target=flow, args=(stop,))
    with process(firm, config, **env) as first:
        flowing.start()
        wait_for(lambda: receiver.seen)
        with process(firm, config, **env) as second:
            sent = len(receiver.seen)
            wait_for(lambda: len(receiver.seen) > sent + 40)
            second.send_signal(signal.SIGSTOP)
            time.sleep(8)  # longer than its session: the first acts for it
            second.send_signal(signal.SIGCONT)
            sent = len(receiver.seen)
            wait_for(lambda: len(receiver.seen) > sent + 40)
            first.terminate()
            first.wait(60)
            stop.set()
            flowing.join()
            wait_for(lambda: all(firm.statuses(event)[-1:] == ["succeeded"] for event in events), 90)

    assert len(receiver.seen) == len(events)
