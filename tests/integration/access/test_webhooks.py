"""What Kafka refuses the webhook server stays in the spool, with a reason and a remedy, and leaves in its order once the right is there."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.kafka import acls
from infra.kafka.access import Acl, Operation, Resource, Right
from infra.kafka.changes import Change, Kind
from infra.kafka.reader import read_to_end
from producers.webhooks import forwarder as module
from producers.webhooks.forwarder import Forwarder
from producers.webhooks.intake import Intake
from producers.webhooks.keeper import Keeper
from producers.webhooks.spool import Spool
from tests.support.drill import until
from tests.support.guarded import Door

TOPIC = "ops.webhook.v1"


class Log:
    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def warning(self, event: str, **fields: Any) -> None:
        self.said.append({"event": event, **fields})


def test_what_is_refused_waits_and_is_sent_once_the_right_is_there(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, log = f"newcomer-{uuid.uuid4().hex[:8]}", Log()
    door.make_users([user])
    monkeypatch.setattr(module, "log", log)
    intake = Intake(user, models={"project.task"}, max_depth=8)
    hints = [json.dumps({"_model": "project.task", "_id": number}).encode() for number in range(1, 6)]
    spool = Spool(tmp_path, remember=1000, max_bytes=1_000_000)
    spool.store([intake.unsigned(hint, datetime.now(UTC)) for hint in hints])
    waiting, keeper = spool.waiting_bytes, Keeper(spool)
    forwarder = Forwarder(door.kafka(user), spool, keeper)
    try:
        until(lambda: log.said, "it says so")
        assert spool.waiting_bytes == waiting
        assert forwarder.waiting_since is not None
        right = Right(Resource.TOPIC, TOPIC, Operation.WRITE)
        acl = Acl(f"User:{user}", right)
        acls.apply(door.root, [Change(Kind.GRANT, acl.principal, str(right), "no", "yes", "a test", acl=acl)])
        until(lambda: spool.waiting_bytes == 0, "all of it leaves")
    finally:
        forwarder.close()
        keeper.close()
        spool.close()
    assert log.said[0]["event"] == "webhooks_not_forwarded"
    assert "TOPIC_AUTHORIZATION_FAILED" in log.said[0]["reason"]
    assert "burnline topics apply" in log.said[0]["remedy"]
    keys = [(record.key() or b"").decode() for record in read_to_end(door.root, TOPIC)]
    wanted = [f"odoo:{user}:project.task:{number}" for number in range(1, 6)]
    assert [key for key in dict.fromkeys(keys) if key.startswith(f"odoo:{user}:")] == sorted(wanted, key=keys.index)
    assert set(wanted) <= set(keys)
