"""`burnline schemas` as a user calls it, on a made-up catalogue."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from burnline.cli import app
from burnline.commands import schemas as module
from tests.support.contracts import Contracts


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contracts:
    made = Contracts(tmp_path)
    monkeypatch.setattr(module, "AVRO", made.folder)
    monkeypatch.setattr(module, "RELEASED", made.frozen)
    monkeypatch.setattr(module, "TOPICS", made.topics)
    return made


def burnline(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["schemas", *arguments], env={"COLUMNS": "160"})


def rows(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in burnline(*arguments, "--json").stdout.splitlines()]


def test_from_the_first_release_to_a_refusal(shop: Contracts) -> None:
    assert burnline("check").exit_code == 1
    assert "nothing was written" in burnline("release", "--dry-run").stdout
    assert not shop.frozen.exists()

    first = burnline("release")
    assert first.exit_code == 0
    assert "shop.OrderEvent version 1, number 1" in first.stdout
    assert "topic shop.order.v1: shop.OrderEvent by order" in first.stdout
    checked = burnline("check")
    assert (checked.exit_code, checked.stdout) == (0, "2 schemas and 2 topics keep what 2 releases promised\n")
    assert "nothing is due" in burnline("release").stdout

    shop.change("OrderRow", without="note")
    assert [(row["kind"], row["subject"]) for row in rows("check")] == [("unreleased", "shop.OrderRow")]
    assert [row["state"] for row in rows("list")] == ["released", "unreleased"]
    assert "shop.OrderRow version 2, number 3" in burnline("release", "shop.OrderRow").stdout

    shop.change("Order", without="pieces")
    refused = burnline("release")
    assert refused.exit_code == 1
    assert "removed field: `Order.pieces` is gone" in refused.stdout
    assert "what to do: put it back as int" in refused.stdout
    assert [row["state"] for row in rows("list")] == ["removed field", "released"]
    assert [len(versions) for versions in shop.index.releases.values()] == [1, 2]


def test_the_table_names_who_is_kept(shop: Contracts) -> None:
    shop.release()
    table = burnline("list").stdout
    assert "shop.OrderEvent" in table
    assert "old and new" in table


def test_a_fix_that_looks_like_markup_is_shown_as_it_is(shop: Contracts) -> None:
    shop.release()
    shop.change("Order", also={"name": "clerk", "type": "string"})
    assert 'make it `["null", …]` with the default null.' in burnline("check").stdout


def test_a_record_that_does_not_travel_is_named(shop: Contracts) -> None:
    failed = burnline("release", "shop.Order")
    assert "no record shop.Order travels" in str(failed.exception)


def test_a_release_that_was_replaced_since_a_revision_is_found(shop: Contracts) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", "-C", str(shop.folder), *who, *arguments], check=True, capture_output=True)

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "-m", "before")
    shop.release()
    assert burnline("check", "--since", "HEAD").exit_code == 0, "nothing was released then"
    git("add", ".")
    git("commit", "--quiet", "-m", "released")
    assert burnline("check", "--since", "HEAD").exit_code == 0

    shutil.rmtree(shop.frozen)
    shop.change("Order", without="pieces")
    shop.release()
    assert burnline("check").exit_code == 0, "files and fingerprints agree"
    found = burnline("check", "--since", "HEAD")
    assert found.exit_code == 1
    assert "shop.OrderEvent version 1 is not what it was when it was released" in found.stdout
    assert "git knows no revision nowhere" in str(burnline("check", "--since", "nowhere").exception)
