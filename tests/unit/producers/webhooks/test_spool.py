"""The spool: what `store` answered for is on the disk, in order, and known again."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from infra.errors import Fatal, Transient
from producers.webhooks.entries import Answer, Delivery, Entry, Record
from producers.webhooks.keeper import Keeper
from producers.webhooks.spool import CONFLICT, FILE, FULL, Spool

OK = Answer(202, "accepted")


def opened(folder, remember=1000.0, max_bytes=1_000_000):
    return Spool(folder, remember=remember, max_bytes=max_bytes)


def record(name, size=10):
    return Record("t", name.encode(), b"v" * size, [("h", "x")])


def entry(name, *, digest=b"d", at=0.0, answer=OK, size=10):
    return Entry(
        Delivery("n8n", name, digest), at, answer, (record(f"{name}.raw", size), record(f"{name}.event", size))
    )


def keys(spool, after=0):
    return [kept.key.decode() for _, kept in spool.after(after, most=100, most_bytes=1_000_000)]


@pytest.fixture
def spool(tmp_path):
    found = opened(tmp_path)
    yield found
    found.close()


def test_records_come_out_as_and_in_the_order_in_which_they_went_in(spool):
    spool.store([entry("a"), entry("b")])
    spool.store([entry("c")])
    assert keys(spool) == ["a.raw", "a.event", "b.raw", "b.event", "c.raw", "c.event"]
    assert spool.after(0, most=1, most_bytes=1)[0][1] == record("a.raw")


def test_what_kafka_has_leaves_and_the_rest_outlives_a_restart(tmp_path):
    first = opened(tmp_path)
    first.store([entry("a"), entry("b")])
    first.store([entry("c")], sent=3)
    first.close()
    again = opened(tmp_path)
    assert keys(again) == ["b.event", "c.raw", "c.event"]
    assert again.waiting_bytes == 30
    again.store([entry("d")])
    assert keys(again)[-2:] == ["d.raw", "d.event"]
    again.close()


@pytest.mark.parametrize(
    ("second", "told", "kept"),
    [
        pytest.param(entry("a"), OK, 2, id="sent again: welcome, and nothing follows"),
        pytest.param(entry("a", digest=b"e"), CONFLICT, 2, id="the same id for another body"),
        pytest.param(entry("a", answer=Answer(422, "no")), OK, 2, id="it gets the answer it got"),
        pytest.param(entry("b"), OK, 4, id="another delivery"),
        pytest.param(
            entry("a")._replace(delivery=Delivery("bank", "a", b"d")), OK, 4, id="another sender's ids are its own"
        ),
        pytest.param(entry("a")._replace(delivery=None), OK, 4, id="an unsigned post has no id: each is a new one"),
    ],
)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_delivery_is_known_again(tmp_path, second, told, kept, restarted):
    spool = opened(tmp_path)
    spool.store([entry("a")])
    if restarted:
        spool.close()
        spool = opened(tmp_path)
    assert spool.store([second]) == [told]
    assert len(keys(spool)) == kept
    spool.close()


def test_it_is_known_within_one_batch_too(spool):
    assert spool.store([entry("a"), entry("a"), entry("a", digest=b"e")]) == [OK, OK, CONFLICT]
    assert keys(spool) == ["a.raw", "a.event"]


def test_old_deliveries_are_forgotten_and_no_others(tmp_path):
    spool = opened(tmp_path, remember=100)
    spool.store([entry("a", at=0), entry("b", at=50)])
    spool.store([entry("c", at=120)])
    spool.store([entry("a", at=121), entry("b", at=121)])
    assert keys(spool).count("a.raw") == 2
    assert keys(spool).count("b.raw") == 1
    spool.close()


def test_a_full_spool_takes_nothing_more_and_remembers_nothing_of_it(tmp_path):
    spool = opened(tmp_path, max_bytes=50)
    assert spool.store([entry("a"), entry("b"), entry("c")]) == [OK, OK, FULL]
    assert spool.store([entry("c")], sent=4) == [OK]
    assert keys(spool) == ["c.raw", "c.event"]
    spool.close()


def test_a_disk_that_refuses_changes_nothing(spool):
    spool.store([entry("a")])
    pages = spool._writing.execute("pragma page_count").fetchone()[0]
    spool._writing.execute(f"pragma max_page_count={pages}")
    with pytest.raises(Transient, match="takes nothing"):
        spool.store([entry("b", size=500_000)], sent=2)
    assert keys(spool) == ["a.raw", "a.event"]
    assert spool.waiting_bytes == 20
    spool._writing.execute("pragma max_page_count=100000")
    assert spool.store([entry("b")]) == [OK]


def test_a_batch_is_bounded_by_bytes_and_never_empty(spool):
    spool.store([entry("a", size=1000)])
    assert len(spool.after(0, most=10, most_bytes=1)) == 1
    assert len(spool.after(0, most=10, most_bytes=1000)) == 2


def test_a_second_process_is_told(tmp_path, spool):
    with pytest.raises(Fatal, match="another process"):
        opened(tmp_path)


def test_a_file_that_is_no_spool_is_told_with_what_to_do(tmp_path):
    (tmp_path / FILE).write_bytes(b"something else altogether" * 100)
    with pytest.raises(Fatal, match="cannot be used") as told:
        opened(tmp_path)
    assert "move the folder away" in told.value.remedy


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Fatal, match="cannot be written"):
        opened(tmp_path / "file" / "spool")


KILLED = """
import os, sys
from pathlib import Path
from producers.webhooks.spool import Spool
from tests.unit.producers.webhooks.test_spool import entry
spool = Spool(Path(sys.argv[1]), remember=1000, max_bytes=1_000_000)
spool.store([entry("a"), entry("b")])
spool._writing.execute("begin immediate")
spool._keep(entry("c"))
os.kill(os.getpid(), 9)
"""


def test_killed_it_holds_what_it_answered_for_and_nothing_of_what_it_did_not(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], check=False, env={**os.environ, "PYTHONPATH": "."}
    )
    assert done.returncode == -9
    spool = opened(tmp_path)
    assert keys(spool) == ["a.raw", "a.event", "b.raw", "b.event"]
    assert spool.store([entry("a"), entry("c")]) == [OK, OK]
    assert keys(spool)[4:] == ["c.raw", "c.event"]
    spool.close()


def test_what_is_on_the_disk_when_it_answers_is_there_if_the_machine_stops(tmp_path):
    """A copy of the files, taken while the spool is open, is what a machine that lost its power would find."""
    spool = opened(tmp_path / "one")
    spool.store([entry("a")])
    (tmp_path / "two").mkdir()
    for file in Path(tmp_path / "one").glob(f"{FILE}*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, tmp_path / "two")
    found = opened(tmp_path / "two")
    assert keys(found) == ["a.raw", "a.event"]
    assert found._writing.execute("pragma synchronous").fetchone() == (2,)
    found.close()
    spool.close()


def test_many_posts_at_once_share_commits_and_each_gets_its_answer(tmp_path):
    spool = opened(tmp_path)
    commits = []
    spool._writing.set_trace_callback(lambda said: commits.append(said) if said.lower() == "commit" else None)
    keeper = Keeper(spool)

    async def scenario():
        told = [keeper.keep(entry(f"{number % 150}"), 60) for number in range(200)]
        return await asyncio.gather(*told)

    assert asyncio.run(scenario()) == [OK] * 200
    keeper.close()
    assert len(commits) < 100
    found = sqlite3.connect(tmp_path / FILE).execute("select count(*) from record").fetchone()
    assert found == (300,)
    spool.close()


def test_what_kafka_has_is_removed_though_nothing_comes_in(tmp_path):
    spool = opened(tmp_path)
    spool.store([entry("a")])
    keeper = Keeper(spool)
    keeper.sent(2)
    keeper.close()
    assert keys(spool) == []
    spool.close()


def test_a_disk_that_refuses_is_told_to_each_of_the_batch(tmp_path):
    spool = opened(tmp_path)
    keeper = Keeper(spool)
    spool._writing.execute("pragma query_only=1")

    async def scenario():
        return await asyncio.gather(*(keeper.keep(entry(name), 60) for name in "ab"), return_exceptions=True)

    assert [type(answer) for answer in asyncio.run(scenario())] == [Transient, Transient]
    keeper.close()
    spool.close()


def test_a_slow_disk_is_waited_for_no_longer_than_said_and_keeps_it_all_the_same(tmp_path, monkeypatch):
    spool, disk = opened(tmp_path), threading.Event()
    store = spool.store
    monkeypatch.setattr(spool, "store", lambda *told, **named: disk.wait(60) and store(*told, **named))
    keeper = Keeper(spool)

    async def scenario():
        with pytest.raises(TimeoutError):
            await keeper.keep(entry("a"), 0.05)
        disk.set()
        return await keeper.keep(entry("a"), 60)

    assert asyncio.run(scenario()) == OK
    keeper.close()
    assert keys(spool) == ["a.raw", "a.event"]
    spool.close()
