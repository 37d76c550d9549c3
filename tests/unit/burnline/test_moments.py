"""What people write for a moment, and what it means, for every command that takes one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from burnline.cli import app
from burnline.commands.moments import moment

NOW = datetime(2026, 3, 30, 8, 15, tzinfo=UTC)


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[arg-type, misc]  # without a zone among them


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("2026-03-28", at(2026, 3, 28), id="a day begins at midnight UTC"),
        pytest.param("2026-03-28T08:30", at(2026, 3, 28, 8, 30), id="a moment without a zone is UTC"),
        pytest.param("2026-03-28 08:30:05", at(2026, 3, 28, 8, 30, 5), id="with a blank, as tables show it"),
        pytest.param("2026-03-28T08:30Z", at(2026, 3, 28, 8, 30), id="UTC, said"),
        pytest.param("2026-03-28T00:30+02:00", at(2026, 3, 27, 22, 30), id="another zone is told in UTC"),
        pytest.param("2026-03-29T02:30:00.250000+01:00", at(2026, 3, 29, 1, 30, 0, 250_000), id="as --json has it"),
        pytest.param("45m", at(2026, 3, 30, 7, 30), id="minutes ago"),
        pytest.param("12h", at(2026, 3, 29, 20, 15), id="hours ago"),
        pytest.param("7d", at(2026, 3, 23, 8, 15), id="days ago"),
        pytest.param("2w", at(2026, 3, 16, 8, 15), id="weeks ago"),
        pytest.param("0d", NOW, id="now"),
    ],
)
def test_what_a_moment_means(text, meant):
    assert moment(text, NOW) == meant
    assert moment(text, NOW).utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("yesterday", id="a word"),
        pytest.param("d", id="a unit alone"),
        pytest.param("7", id="a number alone"),
        pytest.param("-7d", id="of what is to come nobody knows"),
        pytest.param("1.5h", id="a part of a unit"),
        pytest.param("7y", id="no such unit"),
        pytest.param("2026-02-30", id="no such day"),
        pytest.param("99999999d", id="before all days"),
        pytest.param("9" * 5000 + "d", id="more digits than Python reads"),
        pytest.param("0001-01-01T00:00+14:00", id="before all days in UTC"),
    ],
)
def test_what_is_no_moment_is_told_how_to_write_one(text):
    with pytest.raises(ValueError, match=r"is no moment: write a day \(2026-03-30\)"):
        moment(text, NOW)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(["policy", "try", "--since", "soon"], id="policy try --since"),
        pytest.param(["policy", "try", "--since", "7d", "--until", "soon"], id="policy try --until"),
        pytest.param(["dlq", "list", "--since", "soon"], id="dlq list --since"),
        pytest.param(["dlq", "retry", "--reason", "x", "--since", "soon"], id="dlq retry --since"),
        pytest.param(["dlq", "discard", "--reason", "x", "--since", "soon"], id="dlq discard --since"),
        pytest.param(["streams", "rebuild", "--as-of", "soon"], id="streams rebuild --as-of"),
    ],
)
def test_every_command_that_takes_a_moment_reads_it_here(call):
    done = CliRunner(env={"COLUMNS": "300"}).invoke(app, call)
    assert done.exit_code == 2
    assert "'soon' is no moment: write a day" in done.output
