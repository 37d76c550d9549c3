"""The audit finds each kind of difference, and its repair leaves none."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from burnline.cli import app
from infra.errors import Fatal
from infra.kafka.clients import producer
from tests.integration.audit.conftest import LINE, TIMESHEET, Audited
from tests.support.drill import until
from tests.support.ports import free_port

pytestmark = pytest.mark.kafka


def lost(audited: Audited, lines: Sequence[int]) -> str:
    """Odoo has a record of which no event was ever written: its sweep has not come yet."""
    values = {"name": "w", "project_id": 1, "employee_id": 1, "unit_amount": 4.0, "date": "2026-03-06"}
    made = audited.change(lambda transaction: transaction.create(LINE, values))
    return f"{LINE}:{made}"


def left_out(audited: Audited, lines: Sequence[int]) -> str:
    """A version is not there, though the last state is right."""
    event = deepcopy(audited.tampering.events(lines[0])[-1])
    event["meta"]["version"] += 2
    audited.tampering.write(event)
    return f"{LINE}:{lines[0]}"


def doubled(audited: Audited, lines: Sequence[int]) -> str:
    """The same version and id with another content: those who read it first have another state than those who read it last."""
    event = deepcopy(audited.tampering.events(lines[0])[-1])
    event["current"]["minutes"] = 999
    audited.tampering.write(event)
    return f"{LINE}:{lines[0]}"


def wrong(audited: Audited, lines: Sequence[int]) -> str:
    """An event, rightly numbered, that says what Odoo does not."""
    event = deepcopy(audited.tampering.events(lines[1])[-1])
    event["meta"]["version"] += 1
    event["current"]["cost"] = Decimal("1234.5")
    audited.tampering.write(event)
    return f"{LINE}:{lines[1]}"


def phantom(audited: Audited, lines: Sequence[int]) -> str:
    """An event of a record that never was."""
    event = deepcopy(audited.tampering.events(lines[2])[-1])
    event["meta"]["subject"] = event["meta"]["subject"].replace(f":{lines[2]}", f":{900_000 + lines[2]}")
    event["current"]["id"] = 900_000 + lines[2]
    audited.tampering.write(event)
    return f"{LINE}:{900_000 + lines[2]}"


HARMS = {lost: "missing", left_out: "lost", doubled: "doubled", wrong: "wrong", phantom: "phantom"}


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        pytest.param(lost, "missing", id="an event lost"),
        pytest.param(left_out, "lost", id="a version left out"),
        pytest.param(doubled, "doubled", id="an event doubled"),
        pytest.param(wrong, "wrong", id="a wrong value"),
        pytest.param(phantom, "phantom", id="a record that never existed"),
    ],
)
def test_each_kind_of_difference_is_found_and_mended(
    audited: Audited, lines: Sequence[int], harm: Any, kind: str
) -> None:
    record = harm(audited, lines)
    found, told = audited.audit(models=(LINE,))
    assert not found.clean
    assert [(one.kind, one.topic, one.subject) for one in told] == [
        (kind, TIMESHEET, f"odoo:{audited.odoo.db}:{record}")
    ]
    mended, _ = audited.audit(repair=True, models=(LINE,))
    assert mended.repaired == 1
    after, told = audited.audit(models=(LINE,))
    assert after.clean, told
    last = audited.tampering.events(int(record.rpartition(":")[2]))[-1]
    assert last["meta"]["mode"] == "repair"


def test_sums_alone_find_each_of_them_and_read_no_other_rows(audited: Audited, supply: Iterator[int]) -> None:
    harms = {harm(audited, [next(supply) for _ in range(3)]): kind for harm, kind in HARMS.items()}
    _, told = audited.audit(models=(LINE,), quick=True)
    assert {one.subject.removeprefix(f"odoo:{audited.odoo.db}:"): one.kind for one in told} == harms
    assert audited.audit(models=(LINE,), quick=True, repair=True)[0].repaired == len(harms)
    after, told = audited.audit(models=(LINE,), quick=True)
    assert (after.clean, after.rows) == (True, 0), told


def test_the_capture_has_nothing_to_add_to_what_was_repaired(audited: Audited, lines: Sequence[int]) -> None:
    for harm in (lost, doubled, wrong, phantom):
        harm(audited, lines)
    audited.audit(repair=True)
    assert audited.capture() == {}
    after, told = audited.audit()
    assert after.clean, told


def test_the_ledger_tells_both_sides_by_month(audited: Audited, lines: Sequence[int]) -> None:
    before, _ = audited.audit(models=(LINE,))
    phantom(audited, lines)
    after, _ = audited.audit(models=(LINE,), repair=True)
    (was,), (line,) = ([one for one in outcome.lines if one.period == "2026-03"] for outcome in (before, after))
    assert was.agrees
    assert not line.agrees
    assert line.odoo == was.odoo
    more = line.on_topic - line.odoo
    assert (more.count, more.ids) == (1, 900_000 + lines[2])
    minutes = next(place for place, one in enumerate(line.table) if one.of == "minutes")
    assert more.sums[minutes] == audited.tampering.events(lines[2])[-1]["current"]["minutes"]


def test_a_person_taken_off_behind_our_back_is_found_in_the_part(audited: Audited, lines: Sequence[int]) -> None:
    with audited.odoo.database.store.write() as change:
        change.db.execute("DELETE FROM project_task_user_rel")
    _, told = audited.audit(models=("project.task",))
    assert ("delivery.assignment.v1", "phantom") in {(one.topic, one.kind) for one in told}
    audited.audit(models=("project.task",), repair=True)
    after, told = audited.audit(models=("project.task",))
    assert after.clean, told


def test_a_model_that_nobody_maps_is_refused(audited: Audited) -> None:
    with pytest.raises(Fatal, match=r"no mapping reads x\.nothing") as caught:
        audited.audit(models=("x.nothing",))
    assert LINE in caught.value.remedy


def test_the_command_says_what_it_found_and_exits_with_it(
    audited: Audited, lines: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    odoo = audited.odoo
    for name, value in {
        "ODOO_URL": odoo.url, "ODOO_DB": odoo.db, "ODOO_USER": odoo.user, "ODOO_PASSWORD": odoo.password,
        "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": audited.settings.kafka.bootstrap_servers or "",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    call = ["audit", "--json", "--settle", "0.1", "--model", LINE]
    clean = CliRunner().invoke(app, call)
    assert clean.exit_code == 0, clean.output
    wrong(audited, lines)
    found = CliRunner().invoke(app, call)
    assert found.exit_code == 1
    said = [json.loads(line) for line in found.stdout.splitlines()]
    (difference,) = [one for one in said if one["type"] == "difference"]
    assert (difference["kind"], "in Odoo" in difference["detail"]) == ("wrong", True)
    (ledger,) = [one for one in said if one["type"] == "ledger"]
    assert ledger["agrees"] is False
    assert ledger["sums"]["cost"][1] == 1234.5 + ledger["sums"]["cost"][0]
    assert said[-1]["type"] == "summary"
    assert CliRunner().invoke(app, [*call, "--repair"]).exit_code == 1
    assert CliRunner().invoke(app, call).exit_code == 0
    shown = CliRunner().invoke(app, [one for one in call if one != "--json"])
    assert shown.exit_code == 0
    assert "ledger" in shown.stdout


def test_audits_again_and_again_tell_prometheus_what_differs_by_model_and_month(
    audited: Audited, lines: Sequence[int]
) -> None:
    odoo, address = audited.odoo, f"127.0.0.1:{free_port()}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))},
        "ODOO_URL": odoo.url, "ODOO_DB": odoo.db, "ODOO_USER": odoo.user, "ODOO_PASSWORD": odoo.password,
        "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": audited.settings.kafka.bootstrap_servers or "",
    }  # fmt: skip
    call = ["audit", "--json", "--settle", "0.1", "--model", LINE, "--every", "1", "--metrics", address]
    place = f'burnline_audit_difference{{figure="records",model="{LINE}",period="2026-03"}}'

    def told() -> dict[str, float]:
        try:
            text = httpx.get(f"http://{address}/metrics").text
        except httpx.TransportError:
            return {}
        lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("burnline_audit_")]
        return {name: float(value) for name, _, value in lines}

    process = subprocess.Popen([sys.executable, "-m", "burnline", *call], env=environment, stdout=subprocess.DEVNULL)
    try:
        until(lambda: told().get(place) == 0, "the first audit")
        assert told()["burnline_audit_ended_timestamp_seconds"] > 0
        phantom(audited, lines)
        until(lambda: told().get(place) == 1, "one record more on the topic than in Odoo")
        assert told()['burnline_audit_records_apart{kind="phantom"}'] == 1
        minutes = audited.tampering.events(lines[2])[-1]["current"]["minutes"]
        assert told()[place.replace("records", "minutes")] == minutes
        audited.audit(repair=True, models=(LINE,))
        until(lambda: told().get(place) == 0, "the repair")
        assert place.replace("records", "minutes") not in told(), "what differs no more is told no more"
        process.terminate()
        assert process.wait(30) == 0, "the last one was clean"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        pytest.param(["--every", "60", "--repair"], "--repair", id="a repair that nobody calls for"),
        pytest.param(["--metrics", "127.0.0.1:9465"], "--every", id="figures of a process that ends"),
        pytest.param(["--every", "60", "--metrics", "9465"], "127.0.0.1:9464", id="an address that is none"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(
    audited: Audited, words: list[str], remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNLINE_KAFKA__BOOTSTRAP_SERVERS", audited.settings.kafka.bootstrap_servers or "")
    refused = CliRunner().invoke(app, ["audit", *words])
    assert isinstance(refused.exception, Fatal)
    assert remedy in refused.exception.remedy


def test_what_nobody_can_read_is_a_difference(audited: Audited, lines: Sequence[int]) -> None:
    """The last test of the module: nothing takes such a record away again."""
    out = producer(audited.settings.kafka)
    out.produce(TIMESHEET, key=f"odoo:{audited.odoo.db}:{LINE}:{lines[0]}".encode(), value=b"nonsense")
    assert out.flush(30) == 0
    outcome, told = audited.audit(models=(LINE,))
    assert (outcome.clean, outcome.unreadable, told) == (False, 1, [])
