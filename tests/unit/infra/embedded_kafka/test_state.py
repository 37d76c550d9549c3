"""A process is believed to be our broker, and signalled, only when its command line proves it."""

from pathlib import Path

import pytest

from infra.embedded_kafka.state import BrokerState, Verdict, judge, parse_state, render_state

PROPERTIES = Path("/data/server.properties")
STATE = BrokerState(4242, 9092, "2026-01-01T10:00:00+00:00", "4.1.1")
OURS = "/x/java -Xmx256m -cp a.jar:b.jar kafka.Kafka /data/server.properties"


@pytest.mark.parametrize(
    ("state", "command", "verdict"),
    [
        pytest.param(None, OURS, Verdict.ABSENT, id="no state file: nothing was started"),
        pytest.param(STATE, OURS, Verdict.RUNNING, id="the broker of this folder"),
        pytest.param(STATE, "", Verdict.STALE, id="the process is gone or a zombie"),
        pytest.param(STATE, "/usr/bin/vim notes.txt", Verdict.STALE, id="the id was given to another program"),
        pytest.param(STATE, OURS.replace("/data", "/other"), Verdict.STALE, id="a broker of another folder"),
        pytest.param(STATE, OURS.replace("/data", "/more/data"), Verdict.STALE, id="a folder whose path ends alike"),
        pytest.param(STATE, f"less {PROPERTIES}", Verdict.STALE, id="somebody reads the folder's files"),
        pytest.param(
            STATE, f"sh -c watch {OURS} 4242", Verdict.STALE, id="a shell whose words hold the broker's command"
        ),
    ],
)
def test_a_state_file_is_believed_only_with_proof(state, command, verdict):
    assert judge(state, lambda pid: command if pid == 4242 else "", PROPERTIES) is verdict


def test_a_state_survives_its_file():
    assert parse_state(render_state(STATE)) == STATE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty after a crash of the machine"),
        pytest.param('{"pid": 42', id="cut off"),
        pytest.param("[]", id="other JSON"),
        pytest.param('{"pid": 4242}', id="of another version"),
        pytest.param(render_state(STATE).replace("4242", "0"), id="signals to 0 would reach our own group"),
        pytest.param(render_state(STATE).replace("4242", "-1"), id="signals to -1 would reach everybody"),
        pytest.param(render_state(STATE).replace("4242", "1"), id="process 1 is the system's own"),
    ],
)
def test_a_broken_state_file_is_no_state(text):
    assert parse_state(text) is None
