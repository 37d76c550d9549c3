"""One suite that every target passes, each against a real counterpart: HTTP and mail servers, and a real Odoo.

What it can count at the target, it counts there.
"""

import asyncio
import uuid

import pytest

from consumers.actions.policy import load_policy
from consumers.actions.targets import KINDS, targets_of
from consumers.actions.targets.failed import TargetFailed
from consumers.core.plan import plan
from infra.errors import Transient
from infra.settings import ActionSettings, KafkaSettings, MailSettings, OdooSettings, Settings
from tests.support.actions import LOOPBACK, SECRET, Receiver
from tests.support.alerts import alert
from tests.support.listeners import closed, silent
from tests.support.mail import MailServer

CLOSES = {"odoo_activity", "odoo_task", "odoo_update"}
ANSWERS = {"teams": (202, {}, b""), "slack": (200, {"content-type": "text/html"}, b"ok")}
"""As the real ones answer: Slack says its ok as HTML."""


class Bench:
    """One kind of target, and its counterpart: up, or at a port where nobody listens, or nobody answers."""

    kind: str
    idempotent = True

    def __init__(self, kind, settings, odoo=None, **target):
        self.kind = kind
        self.settings = Settings(kafka=KafkaSettings(bootstrap_servers="unused"), **settings)
        self.odoo = odoo
        self.config = {"target": kind, **target}
        self.subject = f"odoo:odoolab:project.project:{uuid.uuid4().int % 10**9}"

    def planned(self, **changed):
        rule = {"name": "test", "owner": "o", "then": [self.config]}
        [only] = plan(alert(self.subject, **changed), load_policy({"actions": {"rules": [rule]}}))
        return only

    def run(self, *planned, check=False):
        """What the target returned for each; raises what it raised. The target is as new as after a restart."""

        async def go():
            policy = load_policy({"actions": {"rules": [{"name": "test", "owner": "o", "then": [self.config]}]}})
            target = targets_of(policy, self.settings, self.odoo)[self.kind]
            self.idempotent = target.idempotent
            try:
                if check:
                    await target.check()
                return [await target.act(one) for one in planned]
            finally:
                await target.close()

        return asyncio.run(asyncio.wait_for(go(), 60))


def http(kind, port):
    secrets = {"webhook_secrets": {"n8n": SECRET}, "chat_urls": {"ops": f"http://127.0.0.1:{port}/chat"}}
    settings = {"actions": ActionSettings(timeout=1.0, allowed_networks=LOOPBACK, **secrets)}
    if kind == "webhook":
        return Bench(kind, settings, url=f"http://127.0.0.1:{port}/hook", secret="n8n")
    return Bench(kind, settings, channel="ops", figures=True)


def mail(port):
    settings = MailSettings(host="127.0.0.1", port=port, tls="none", sender="burnline@firm.example", timeout=1.0)
    return Bench("mail", {"mail": settings}, to=["boss@firm.example"])


def in_odoo(kind, url, given):
    more = (
        {"set": {"label_tasks": "At risk: $rule"}, "when_cleared": {"label_tasks": "Tasks"}}
        if kind == "odoo_update"
        else {}
    )
    settings = OdooSettings(**(given.model_dump() | {"url": url, "timeout": 30.0 if url == given.url else 1.0}))
    return Bench(kind, {}, settings, **more)


def bench_at(kind, port):
    """The bench of a kind whose counterpart is at a port, where none of that kind listens."""
    if kind.startswith("odoo"):
        return in_odoo(kind, f"http://127.0.0.1:{port}", OdooSettings(db="odoolab", password="admin"))
    return mail(port) if kind == "mail" else http(kind, port)


def kinds(of):
    """A test for each kind; those in Odoo are skipped where there is none."""
    marked = [pytest.param(kind, marks=[pytest.mark.odoo] if kind.startswith("odoo") else []) for kind in sorted(of)]
    return pytest.mark.parametrize("kind", marked)


AWAY = pytest.mark.parametrize("kind", sorted(set(KINDS) - {"log"}))
"""What can be down needs no counterpart to be so."""


@pytest.fixture
def bench(kind, request):
    """The bench of a kind whose counterpart is up, and `count`, of its effects."""
    if kind.startswith("odoo"):
        given, odoo, project = (request.getfixturevalue(name) for name in ("odoo_settings", "odoo", "project"))
        made = in_odoo(kind, given.url, given)
        made.subject = f"odoo:{odoo.database}:project.project:{project}"
        made.count = counting(odoo, kind, project)
        yield made
    elif kind == "mail":
        with MailServer() as server:
            made = mail(server.port)
            made.count = lambda: len(server.taken)
            yield made
    elif kind == "log":
        made = Bench("log", {})
        made.count = lambda: 1
        yield made
    else:
        with Receiver() as receiver:
            receiver.default = ANSWERS.get(kind, (200, {}, b""))
            made = http(kind, receiver.port)
            made.count = lambda: len({webhook_id or number for number, (_, webhook_id, _) in enumerate(receiver.seen)})
            yield made


def counting(odoo, kind, project):
    """The number of effects in Odoo that are there and open."""
    where = {
        "odoo_activity": (
            "mail.activity",
            [("res_model", "=", "project.project"), ("res_id", "=", project), ("active", "=", True)],
        ),
        "odoo_task": ("project.task", [("project_id", "=", project), ("state", "not in", ["1_done", "1_canceled"])]),
        "odoo_note": (
            "mail.message",
            [("model", "=", "project.project"), ("res_id", "=", project), ("body", "ilike", "Runbook")],
        ),
        "odoo_update": ("project.project", [("id", "=", project), ("label_tasks", "like", "At risk")]),
    }[kind]
    return lambda: len(odoo.search(*where))


@kinds(KINDS)
def test_it_does_what_it_is_asked_for_once_however_often_it_is_asked(bench):
    planned = bench.planned()

    [first] = bench.run(planned, check=True)
    [second] = bench.run(planned)

    assert first == second
    assert bench.count() == (1 if bench.idempotent else 2)


@kinds(CLOSES)
def test_it_is_closed_when_the_alert_clears_and_then_nothing_is_left_to_close(bench):
    cleared = bench.planned(status="cleared")

    bench.run(bench.planned())
    assert bench.count() == 1
    bench.run(cleared)
    bench.run(cleared)
    assert bench.count() == 0


@kinds(KINDS)
def test_any_text_may_stand_in_an_alert(bench):
    odd = {"client": "<b>Müller & Söhne</b>\r\nBcc: all@firm.example", "word": "x" * 20_000, "sign": "🔥\x00$rule"}

    bench.run(bench.planned(values=odd, level="90\r\nX-Injected: 1"))

    assert bench.count() == 1


@AWAY
def test_where_nobody_listens_it_certainly_did_nothing(kind):
    bench = bench_at(kind, closed())

    failure = failed(bench)

    assert (failure.final, failure.uncertain) == (False, False)
    assert failure.reason


@AWAY
def test_where_nobody_answers_it_gives_up_in_time(kind):
    with silent() as port:
        assert not failed(bench_at(kind, port)).final


def failed(bench):
    """How an action failed."""
    with pytest.raises(TargetFailed) as raised:
        bench.run(bench.planned())
    return raised.value.failure


@pytest.mark.parametrize("kind", ["mail", "odoo_activity"])
def test_who_can_be_asked_beforehand_says_that_it_is_down(kind):
    with pytest.raises(Transient) as told:
        bench_at(kind, closed()).run(check=True)

    assert told.value.remedy
