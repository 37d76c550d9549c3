"""The clock starts when the history is loaded, however often nobody answers until then."""

from __future__ import annotations

import threading

from burnline.commands import processes
from infra.errors import Transient


def test_who_does_not_answer_is_asked_again(monkeypatch):
    monkeypatch.setattr(processes, "LOOK_EVERY", 0.0)
    answers = iter([Transient("the broker is away", remedy="wait"), [], ["res.partner"]])

    def ask():
        answer = next(answers)
        if isinstance(answer, Transient):
            raise answer
        return answer

    assert processes._first(ask, threading.Event()) == ["res.partner"]


def test_who_is_told_to_stop_asks_no_more():
    stop = threading.Event()
    stop.set()

    assert processes._first(lambda: 1 / 0, stop) is None
