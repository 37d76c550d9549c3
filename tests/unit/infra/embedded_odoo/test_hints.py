"""Webhooks as Odoo sends them: after the commit, once, with the last values when a record is gone."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra.embedded_odoo import EmbeddedOdoo
from infra.embedded_odoo.errors import OdooError


class Receiver(HTTPServer):
    """Keeps what it is told, and answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keep)
        self.bodies: list[dict[str, Any]] = []
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Keep(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def told(tmp_path: Path, receiver: Receiver) -> Iterator[EmbeddedOdoo]:
    with EmbeddedOdoo(tmp_path / "firm.db", webhook=receiver.url) as server:
        yield server


def test_a_change_is_told_with_ids_and_microseconds(told: EmbeddedOdoo, receiver: Receiver) -> None:
    with told.database.change() as env:
        partner = env.create("res.partner", {"name": "Client", "is_company": True})
        assert receiver.bodies == []
    (body,) = receiver.bodies
    ((stamp,),) = told.sql("SELECT write_date FROM res_partner WHERE id = ?", partner)
    assert (body["_model"], body["_id"], body["name"]) == ("res.partner", partner, "Client")
    assert body["_action"].startswith("on_create_or_write(#")
    assert (body["write_date"], body["write_uid"], body["parent_id"]) == (stamp, 2, False)


def test_a_deletion_carries_the_last_values(told: EmbeddedOdoo, receiver: Receiver) -> None:
    with told.database.change() as env:
        partner = env.create("res.partner", {"name": "Client"})
    with told.database.change() as env:
        env.unlink("res.partner", [partner])
    assert receiver.bodies[-1]["_action"].startswith("on_unlink(#")
    assert (receiver.bodies[-1]["_id"], receiver.bodies[-1]["name"]) == (partner, "Client")


def test_what_is_undone_is_not_told(told: EmbeddedOdoo, receiver: Receiver) -> None:
    late = told.transaction()
    late.create("res.partner", {"name": "Client"})
    late.unlink("res.partner", [999_999])
    with pytest.raises(OdooError):
        late.commit()
    assert receiver.bodies == []


def test_a_receiver_that_fails_loses_the_hint_and_nothing_else(told: EmbeddedOdoo, receiver: Receiver) -> None:
    receiver.status = 500
    with told.database.change() as env:
        partner = env.create("res.partner", {"name": "Client"})
    assert (told.hints.sent, told.hints.lost, len(receiver.bodies)) == (0, 1, 1)
    assert told.sql("SELECT name FROM res_partner WHERE id = ?", partner) == [("Client",)]
