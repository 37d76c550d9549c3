"""What a policy, an address, an owner or a counterpart can get wrong: each told in a sentence, none of it harmful."""

import uuid
from contextlib import ExitStack

import pytest

from infra.errors import Fatal
from infra.settings import ActionSettings, MailSettings
from tests.integration.actions.test_conformance import Bench, bench_at, failed, in_odoo
from tests.support.actions import LOOPBACK, SECRET, Receiver
from tests.support.listeners import closed, saying
from tests.support.mail import PASSWORD, USER, MailServer


def hook(url, **changed):
    quick = {"timeout": 2.0, "allowed_networks": LOOPBACK, "webhook_secrets": {"n8n": SECRET}}
    return Bench("webhook", {"actions": ActionSettings(**(quick | changed))}, url=url, secret="n8n")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("https://127.0.0.1:1/", "127.0.0.1 is no public address", id="this very machine"),
        pytest.param("https://localhost:1/", "is no public address", id="a name that leads here"),
        pytest.param("https://[::1]:1/", "::1 is no public address", id="this machine, in version 6"),
        pytest.param("https://10.0.0.1/", "10.0.0.1 is no public address", id="the firm's network"),
        pytest.param("https://169.254.169.254/latest/", "169.254.169.254 is no", id="where clouds keep secrets"),
        pytest.param("http://93.184.216.34/", "would be called without encryption", id="in the clear"),
    ],
)
def test_an_address_that_may_not_be_called_is_refused_before_anything_is_sent(url, reason):
    failure = failed(hook(url, allowed_networks=()))

    assert reason in failure.reason
    assert "BURNLINE_ACTIONS__ALLOWED_NETWORKS" in failure.reason
    assert (failure.final, failure.uncertain) == (True, False)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("https://nowhere.invalid/", "nowhere.invalid has no address", id="a name that is not there"),
        pytest.param("http://127.0.0.1:1/", "Cannot connect to host 127.0.0.1:1", id="a port that is not there"),
    ],
)
def test_an_address_that_cannot_be_reached_is_tried_again(url, reason):
    failure = failed(hook(url))

    assert reason in failure.reason
    assert (failure.final, failure.uncertain) == (False, False)


def test_an_address_written_as_one_number_is_none():
    assert failed(hook("https://2130706433/")).reason == "the address is none that can be called"


def test_a_redirect_is_not_followed():
    with Receiver() as receiver:
        receiver.answers["/a"] = [(302, {"location": receiver.url("/secret")})]

        assert failed(hook(receiver.url("/a"))).reason == "HTTP 302"
        assert [path for path, *_ in receiver.seen] == ["/a"]


def test_a_certificate_is_verified(authority, certified):
    with Receiver(certified()) as receiver:
        unknown = failed(hook(receiver.url("/a")))
        other_name = failed(hook(receiver.url("/a", "localhost"), ssl_ca_location=authority[1]))
        assert receiver.seen == []

        ours = hook(receiver.url("/a"), ssl_ca_location=authority[1])
        assert ours.run(ours.planned()) == ["HTTP 200"]

    assert "the certificate of 127.0.0.1 is not valid" in unknown.reason
    assert "the certificate of localhost is not valid" in other_name.reason
    assert not unknown.uncertain


def test_a_reply_of_a_megabyte_is_not_read_to_its_end():
    with Receiver() as receiver:
        receiver.default = (200, {}, b"x" * 1_000_000)
        bench = hook(receiver.url("/a"))

        assert bench.run(bench.planned()) == ["HTTP 200, an answer of more than 65536 bytes"]


@pytest.mark.parametrize(
    ("answer", "expect", "reason"),
    [
        pytest.param(
            (200, {"content-type": "text/html; charset=utf-8"}, b"<html>Bad gateway</html>"),
            {},
            "HTTP 200 with a page instead of an answer",
            id="a proxy's page, by its type",
        ),
        pytest.param(
            (200, {"content-type": "application/json"}, b'{"ok": false}'),
            {"body": '"ok": *true'},
            "do not have what is expected",
            id="an answer that says no, by the policy's rule",
        ),
        pytest.param((202, {}, b""), {"status": [200]}, "HTTP 202", id="a status that the policy does not count"),
    ],
)
def test_a_success_that_is_none_is_known(answer, expect, reason):
    with Receiver() as receiver:
        receiver.default = answer
        bench = hook(receiver.url("/a"))
        bench.config["expect"] = expect

        assert reason in failed(bench).reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(None, "Cannot connect", id="nobody there"),
        pytest.param(b"nonsense\r\n\r\n", "the answer is no HTTP", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "the answer is no HTTP", id="a header that is none"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 9_000 + b"\r\n\r\n", "the answer is no HTTP", id="a header too long"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "ClientPayloadError", id="half an answer"),
    ],
)  # fmt: skip
def test_an_address_that_is_a_secret_is_told_to_nobody(capsys, answer, reason):
    secret = f"/services/{uuid.uuid4().hex}"
    with ExitStack() as stack:
        port = closed() if answer is None else stack.enter_context(saying(answer))
        urls = {"ops": f"http://127.0.0.1:{port}{secret}"}
        bench = Bench("slack", {"actions": ActionSettings(allowed_networks=LOOPBACK, chat_urls=urls)}, channel="ops")

        failure = failed(bench)

    told = capsys.readouterr()
    assert reason in failure.reason
    assert secret not in failure.reason + told.out + told.err + repr(bench.settings)


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "413 Payload Too Large"])
def test_a_proxy_that_refuses_in_front_of_odoo_is_a_failure_of_this_action_that_may_pass(status):
    page = b"<html>no</html>"
    with saying(f"HTTP/1.1 {status}\r\nContent-Length: {len(page)}\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n".encode() + page) as port:  # fmt: skip
        failure = failed(bench_at("odoo_activity", port))

    assert status[:3] in failure.reason
    assert not failure.final


def test_a_channel_without_an_address_is_told_at_once():
    with pytest.raises(Fatal, match="writes to ops, which has no address") as told:
        Bench("teams", {}, channel="ops").run(check=True)

    assert "BURNLINE_ACTIONS__CHAT_URLS__OPS" in told.value.remedy


def mail(server, **changed):
    given = {"host": "127.0.0.1", "port": server.port, "tls": "none", "sender": "b@firm.example", "timeout": 5.0}
    return Bench("mail", {"mail": MailSettings(**(given | changed))}, to=["boss@firm.example", "left@firm.example"])


def test_a_recipient_who_left_is_named_and_nobody_gets_half_a_mail():
    with MailServer() as server:
        server.refuses["left@firm.example"] = "550 5.1.1 no such user"

        failure = failed(mail(server))

    assert "refused the recipient left@firm.example: 550 5.1.1 no such user" in failure.reason
    assert (failure.final, server.taken) == (True, [])


def test_a_full_mailbox_may_pass():
    with MailServer() as server:
        server.refuses["left@firm.example"] = "452 4.2.2 mailbox full"

        assert not failed(mail(server)).final


def test_a_mail_server_that_breaks_off_after_it_took_the_mail_leaves_a_doubt():
    with MailServer() as server:
        server.breaks = True

        assert failed(mail(server)).uncertain
        assert len(server.taken) == 1


def test_mail_goes_over_tls_that_is_verified_with_a_password_that_is_right(authority, certified):
    right = {"tls": "starttls", "user": USER, "password": PASSWORD}
    with MailServer(certified()) as server:
        ours = mail(server, **right, ssl_ca_location=authority[1])
        [message_id] = ours.run(ours.planned(), check=True)

        with pytest.raises(Fatal, match="does not speak TLS that can be trusted"):
            mail(server, **right).run(check=True)
        with pytest.raises(Fatal, match="refused the user or the password"):
            mail(server, **(right | {"password": "wrong"}), ssl_ca_location=authority[1]).run(check=True)

    [(recipients, message)] = server.taken
    assert recipients == ["boss@firm.example", "left@firm.example"]
    assert message["Message-ID"] == message_id
    assert ours.planned().action_id in message_id
    assert message["Subject"] == "budget_burn.hours: 90 (warning)"


def test_without_a_mail_server_a_policy_that_mails_is_refused():
    with pytest.raises(Fatal, match="sends mail, but no mail server is configured"):
        Bench("mail", {}, to=["boss@firm.example"]).run(check=True)


@pytest.fixture
def who_left(odoo):
    """A user who was the boss of something and has left."""
    login = f"left-{uuid.uuid4().hex}@firm.example"
    [made] = odoo.call("res.users", "create", vals_list=[{"name": "Who left", "login": login}])
    partner = odoo.read("res.users", [made], ["partner_id"])[0]["partner_id"]
    odoo.call("res.users", "write", [made], vals={"active": False})
    yield made, login
    odoo.call("res.users", "unlink", [made])
    odoo.call("res.partner", "unlink", [partner])


def about(odoo, given, kind, model, record, **target):
    bench = in_odoo(kind, given.url, given)
    bench.config |= target
    bench.subject = f"odoo:{odoo.database}:{model}:{record}"
    return bench


@pytest.mark.odoo
def test_an_owner_who_left_is_named(odoo, odoo_settings, who_left, project):
    user, login = who_left
    odoo.call("project.project", "write", [project], vals={"user_id": user})

    by_login = failed(about(odoo, odoo_settings, "odoo_activity", "project.project", project, user=login))
    by_record = failed(about(odoo, odoo_settings, "odoo_activity", "project.project", project, user="responsible"))
    task = failed(about(odoo, odoo_settings, "odoo_task", "project.project", project, user=login))
    odoo.call("project.project", "write", [project], vals={"user_id": 2})

    assert by_login.reason == task.reason == f"the user {login} has left: name another in the policy"
    assert by_record.reason == (
        f"{login}, who is responsible for project.project({project}), has left: name another there"
    )
    assert by_login.final
    assert by_record.final


@pytest.mark.odoo
@pytest.mark.parametrize(
    ("kind", "model", "reason"),
    [
        pytest.param("odoo_activity", "project.project", "Odoo refused an activity on project.project", id="activity"),
        pytest.param("odoo_note", "project.project", "was deleted: nobody would see a note there", id="note"),
        pytest.param("odoo_update", "project.project", "Unknown database identifier", id="update"),
        pytest.param("odoo_task", "project.project", "Odoo refused a task", id="task in a project that is gone"),
        pytest.param("odoo_task", "res.partner", "is no project: name one in the policy", id="task in no project"),
        pytest.param("odoo_note", "no.model", "Odoo has no model no.model", id="a model that is not there"),
    ],
)
def test_a_record_that_is_gone_is_no_place_to_write_to(odoo, odoo_settings, kind, model, reason):
    failure = failed(about(odoo, odoo_settings, kind, model, 999_999_999))

    assert reason in failure.reason
    assert failure.final


@pytest.mark.odoo
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param(
            {"no_such_field": "1"}, "no field no_such_field of project.project", id="a field that is not there"
        ),
        pytest.param({"date_start": "soon"}, "does not seem to be a valid date", id="a value that does not fit"),
        pytest.param({"user_id": "Nobody"}, "no record of res.users named Nobody", id="a record that is not there"),
        pytest.param({"user_id/.id": "999999999"}, "No matching record found", id="a number that is not there"),
    ],
)
def test_an_update_that_cannot_be_is_told_in_odoos_words(odoo, odoo_settings, project, values, reason):
    failure = failed(about(odoo, odoo_settings, "odoo_update", "project.project", project, set=values))

    assert reason in failure.reason
    assert failure.final
