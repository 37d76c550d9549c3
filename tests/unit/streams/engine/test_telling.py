"""What people see of restores that take long, and that the others are not spoken of."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from structlog.testing import capture_logs

from streams.engine import telling
from streams.engine.telling import Teller


def watched() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_short_restore_is_not_told_of() -> None:
    console = watched()
    with capture_logs() as logs, Teller(console).restoring("states", 10) as tell:
        tell(5)
    assert (said(console), logs) == ("", [])


def test_two_long_ones_share_a_terminal_and_leave_it_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "TELL", -1.0)
    console = watched()
    teller = Teller(console)
    with capture_logs() as logs:
        with teller.restoring("some states", 20) as tell:
            tell(5)
            with teller.restoring("other states", 10) as tell_also:
                tell_also(1)
        before = said(console)
        with teller.restoring("later states", 10) as tell:
            tell(1)
    assert "restoring some states" in before
    assert "restoring other states" in before
    assert " 5/20" in before
    assert "\x1b[?25h" in before.rpartition("restoring")[2], "the cursor is back"
    assert "restoring later states" in said(console)
    assert logs == []


def test_where_nobody_watches_the_log_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "TELL", -1.0)
    console = Console(file=io.StringIO())
    with capture_logs() as logs, Teller(console).restoring("states", 20) as tell:
        tell(5)
    assert [(line["event"], line["rows"], line["percent"]) for line in logs] == [("state_restoring", 5, 25)]
    assert said(console) == ""
