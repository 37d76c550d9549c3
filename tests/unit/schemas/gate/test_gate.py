"""The gate on a made-up catalogue: what it stops, what it lets through, and how it says so."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta

import pytest

from schemas.errors import Fatal
from schemas.gate import UNRELEASED, taken_back
from schemas.released import INDEX, Index, read_index
from schemas.topics import Deprecation
from tests.support.contracts import MONEY, STATUS, TODAY, Contracts


@pytest.fixture
def shop(tmp_path):
    contracts = Contracts(tmp_path)
    contracts.release()
    return contracts


def kinds(findings):
    return [finding.kind for finding in findings]


def test_what_was_just_released_is_well(shop):
    assert shop.check() == ()
    assert [r.number for r in shop.index.releases["shop.OrderEvent"]] == [1]
    assert set(shop.index.releases) == {"shop.OrderEvent", "shop.OrderRow"}, "parts travel inside"
    assert set(shop.index.topics) == set(shop.topics)


def test_what_was_never_released_is_due(tmp_path):
    findings = Contracts(tmp_path).check()
    assert kinds(findings) == [UNRELEASED] * 4
    assert all("burnline schemas release" in finding.fix for finding in findings)


def lost(symbols):
    return {**STATUS, "symbols": symbols}


INCOMPATIBLE = [
    pytest.param(
        {"without": "pieces"}, ["removed field"],
        ["`Order.pieces` is gone", "subscribers that still read with version 1 of shop.OrderEvent cannot read"],
        id="removed field",
    ),
    pytest.param(
        {"pieces": "string"}, ["changed type"],
        ["`Order.pieces` changed from int to string", "programs with the new schema and those with version 1 of shop.OrderEvent cannot read"],
        id="changed type",
    ),
    pytest.param(
        {"also": {"name": "clerk", "type": "string"}}, ["new required field"],
        ["`Order.clerk` is new and has no default", "cannot read what was written with version 1 of shop.OrderEvent"],
        id="new required field",
    ),
    pytest.param(
        {"status": lost(["unknown", "open", "settled"])}, ["removed symbol"],
        ["the enum `OrderStatus` lost the symbol `paid`", "would read `paid` as `unknown`"], id="renamed enum symbol",
    ),
    pytest.param(
        {"total": {**MONEY, "scale": 2}}, ["changed scale"],
        ["`Order.total` changed its scale from 4 to 2", "would misread"], id="changed scale",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "kind", "words"), INCOMPATIBLE)
def test_an_incompatible_change_of_a_public_record_is_stopped_and_explained(shop, change, kind, words):
    shop.change("Order", **change)
    findings = shop.check()
    assert kinds(findings) == kind
    assert all(word in findings[0].sentence for word in words), findings[0].sentence
    assert findings[0].fix
    assert findings[0].versions == {"shop.OrderEvent": (1,)}
    assert findings[0].where.startswith("Order.")


COMPATIBLE = [
    pytest.param({"also": {"name": "clerk", "type": ["null", "string"], "default": None}}, id="a new field with a default"),
    pytest.param({"without": "note"}, id="a field that had a default is gone"),
    pytest.param({"status": lost([*STATUS["symbols"], "refunded"])}, id="a new symbol, where a default stands in"),
    pytest.param({"also": {"name": "tags", "type": {"type": "map", "values": "string"}, "default": {}}}, id="a new map"),
]  # fmt: skip


@pytest.mark.parametrize("change", COMPATIBLE)
def test_a_compatible_change_is_let_through_as_a_release_that_is_due(shop, change):
    shop.change("Order", **change)
    assert [(f.kind, f.subject) for f in shop.check()] == [(UNRELEASED, "shop.OrderEvent")]
    assert [(r.number, r.wire_id) for r in shop.release().releases["shop.OrderEvent"]] == [(1, 1), (2, 3)]
    assert shop.check() == ()


def test_words_may_be_mended_without_a_release(shop):
    shop.change("Order", without="pieces", also={"name": "pieces", "type": "int", "doc": "How many."})
    assert [finding.kind for finding in shop.check()] == [UNRELEASED], (
        "the order of fields is a promise: they are decoded by it"
    )
    shop.release()
    shop.change("Order", without="pieces", also={"name": "pieces", "type": "int", "doc": "How many there are."})
    assert shop.check() == ()


def test_an_internal_record_must_only_read_its_own_past(shop):
    shop.change("OrderRow", without="pieces")
    shop.change("OrderRow", note=["null", "string", "long"])
    assert kinds(shop.check()) == [UNRELEASED]
    shop.change("OrderRow", also={"name": "clerk", "type": "string"})
    assert kinds(shop.check()) == ["new required field"]


def test_every_release_counts_not_only_the_newest(shop):
    shop.change("Order", without="note")
    shop.release()
    shop.change("Order", also={"name": "note", "type": ["null", "long"], "default": None})
    (finding,) = shop.check()
    assert finding.kind == "changed type"
    assert finding.versions == {"shop.OrderEvent": (1,)}


def test_one_mistake_that_breaks_many_releases_is_told_once(shop):
    shop.change("Order", also={"name": "clerk", "type": ["null", "string"], "default": None})
    shop.release()
    shop.change("Order", pieces="boolean")
    (finding,) = shop.check()
    assert "versions 1 and 2 of shop.OrderEvent" in finding.sentence


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        pytest.param({"key": "customer"}, "changed key", "from `order` to `customer`", id="changed key"),
        pytest.param({"record": "shop.OrderRow"}, "changed record", "now holds shop.OrderRow", id="another record"),
        pytest.param({"public": False}, "changed class", "lose the promise", id="no longer public"),
    ],
)
def test_a_topic_keeps_what_it_promised(shop, change, kind, words):
    shop.topic("shop.order.v1", **change)
    assert kind in kinds(shop.check())
    assert any(words in finding.sentence for finding in shop.check())
    assert UNRELEASED not in kinds(shop.check())


def test_a_public_record_does_not_lose_its_promise_with_its_topic_s_class(shop):
    shop.topic("shop.order.v1", public=False)
    shop.change("Order", without="pieces")
    assert "removed field" in kinds(shop.check())


def test_a_topic_may_go_only_after_its_sunset_was_promised_and_has_passed(shop):
    old = shop.topics.pop("shop.order.v1")
    assert kinds(shop.check()) == ["vanished record", "vanished topic"]
    shop.topics[old.name] = old
    end = date(2026, 12, 31)
    shop.replace(old.name, Deprecation(TODAY, end, "shop.order.v2"))
    assert kinds(shop.check()) == [UNRELEASED] * 2
    shop.release()
    shop.replace(old.name, Deprecation(TODAY, date(2026, 11, 30), "shop.order.v2"))
    assert kinds(shop.check()) == ["earlier sunset"]
    del shop.topics[old.name]
    assert kinds(shop.check(today=end - timedelta(days=1))) == ["vanished topic"]
    assert shop.check(today=end) == ()


@pytest.mark.parametrize(
    ("undo", "words"),
    [
        pytest.param(lambda shop: shop.topic("shop.order.v1", deprecation=None), "has no end", id="two majors for ever"),
        pytest.param(lambda shop: setattr(shop, "successions", ()), "nothing tells", id="nobody tells the one as the other"),
        pytest.param(lambda shop: shop.topics.pop("shop.order.v2"), "nothing tells", id="a successor that is not there"),
        pytest.param(
            lambda shop: shop.replace("shop.order.v1", Deprecation(TODAY, TODAY, "shop.order.v2")), "before it is announced",
            id="no time to move",
        ),
    ],
)  # fmt: skip
def test_a_new_major_that_leaves_subscribers_behind_is_stopped(shop, undo, words):
    shop.replace("shop.order.v1", Deprecation(TODAY, date(2026, 12, 31), "shop.order.v2"))
    assert set(kinds(shop.check())) == {UNRELEASED}
    undo(shop)
    (finding,) = [finding for finding in shop.check() if finding.kind != UNRELEASED]
    assert finding.kind == "unfinished succession"
    assert words in finding.sentence
    assert finding.fix


def test_an_edited_release_is_found_even_where_only_a_word_changed(shop):
    path = shop.index.releases["shop.OrderEvent"][0].path
    path.write_text(path.read_text().replace('"shop.OrderEvent",', '"shop.OrderEvent", "doc": "An order.",'))
    (finding,) = shop.check()
    assert finding.kind == "edited release"
    assert "shop.OrderEvent version 1 was edited" in finding.sentence


def test_a_release_that_was_replaced_together_with_its_fingerprints_is_found_in_history(shop):
    before = shop.index
    shutil.rmtree(shop.frozen)
    shop.change("Order", without="pieces")
    shop.release()
    assert shop.check() == (), "files and index agree with each other"
    assert [finding.subject for finding in taken_back(before, shop.index)] == ["shop.OrderEvent"]
    assert not list(taken_back(Index(), before))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(lambda folder: (folder / "shop.OrderRow" / "1.avsc").unlink(), "lost its file", id="a file is gone"),
        pytest.param(lambda folder: (folder / "shop.OrderRow" / "2.avsc").write_text("{}"), "not in index", id="a stray file"),
        pytest.param(
            lambda folder: edit(folder, lambda index: index["shop.OrderRow"][0].update(id=1)), "given twice", id="a number given twice"
        ),
        pytest.param(
            lambda folder: edit(folder, lambda index: index["shop.OrderRow"][0].update(shape="0")), "another shape",
            id="a fingerprint that is not the file's",
        ),
        pytest.param(
            lambda folder: edit(folder, lambda index: index["shop.OrderRow"].append(index["shop.OrderRow"][0])), "in order",
            id="a version that is there twice",
        ),
    ],
)  # fmt: skip
def test_damage_is_named_before_anything_is_held_against_it(shop, damage, words):
    damage(shop.frozen)
    findings = shop.check()
    assert any(words in finding.sentence for finding in findings)
    assert all(finding.fix for finding in findings)


def edit(folder, change):
    found = json.loads((folder / INDEX).read_text())
    change(found["records"])
    (folder / INDEX).write_text(json.dumps(found))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"records": {"a": [{}]}, "topics": {}}'])
def test_an_index_that_cannot_be_read_says_what_to_do(tmp_path, text):
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(Fatal, match="no index of releases") as caught:
        read_index(tmp_path)
    assert caught.value.remedy


def test_a_file_that_is_no_schema_is_named(shop):
    shop.change("Order", pieces="integer")
    with pytest.raises(Fatal, match=r"shop\.OrderEvent") as caught:
        shop.check()
    assert caught.value.remedy


def test_only_what_is_named_is_released(shop):
    shop.change("Order", without="note")
    shop.change("OrderRow", without="note")
    after = shop.release("shop.OrderRow")
    assert [len(after.releases[name]) for name in ("shop.OrderEvent", "shop.OrderRow")] == [1, 2]
    assert [finding.subject for finding in shop.check()] == ["shop.OrderEvent"]


def test_releasing_twice_freezes_nothing_the_second_time(shop):
    before = (shop.frozen / INDEX).read_text()
    shop.release()
    assert (shop.frozen / INDEX).read_text() == before


def test_numbers_are_never_given_twice_even_when_a_record_goes(shop):
    del shop.topics["internal.orders.v1"]
    shop.change("Order", without="note")
    assert [r.wire_id for r in shop.release().releases["shop.OrderEvent"]] == [1, 3]
