"""The demo's broker is started again until that succeeds."""

from __future__ import annotations

import threading

from burnline.demo.keeper import BrokerKeeper
from infra.embedded_kafka import BrokerHandle
from infra.embedded_kafka.settings import BrokerSettings
from infra.errors import Fatal


def test_a_start_that_fails_is_tried_again_and_what_was_started_is_stopped(tmp_path):
    tries, stopped = [], []
    third = threading.Event()

    def choose(settings):
        tries.append(settings)
        if len(tries) < 3:
            raise Fatal("port 9092 is in use", remedy="wait")
        third.set()
        return BrokerHandle("embedded", "4.1.1", "127.0.0.1:9092", lambda: stopped.append(len(tries)))

    with BrokerKeeper(BrokerSettings(data_dir=tmp_path / "none"), choose=choose, period=0.01):
        assert third.wait(60)
    assert stopped
    assert len(stopped) == len(tries) - 2
