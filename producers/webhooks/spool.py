"""The spool: what was accepted and is not yet on Kafka, and which deliveries are known; in one SQLite file.

Rules
- What `store` returned for is on the disk (write-ahead log, synced at each commit), whatever is killed next. One commit for a batch.
- A delivery and the records that follow from it are one transaction: it is known if and only if they are kept.
- Records leave in the order in which they came, and only after Kafka has acknowledged them; a crash between the two sends the same bytes again.
- A delivery is known for `remember` seconds, across restarts. Sent again it gets the answer it got; under another body it is refused.
- One process has the spool; a second one is told so.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from infra.errors import Fatal, Transient
from producers.webhooks.entries import Answer, Delivery, Entry, Record

FILE = "spool.sqlite"
FORGOTTEN_AT_ONCE = 500
"""Old deliveries looked at in a transaction: forgetting keeps pace with what comes in, and never holds it up."""
CONFLICT = Answer(409, "this webhook-id was used for another body; give each delivery an id of its own")
FULL = Answer(503, "the spool is full; send it again later")
REPAIR = "move the folder away and start anew: senders are told 503 until then, and send again; the moved file can be read with sqlite3"
_SCHEMA = """
create table if not exists record (seq integer primary key, topic text not null, key blob not null, value blob not null, headers text not null);
create table if not exists delivery (
    place integer primary key, source text not null, id text not null, digest blob not null,
    at real not null, status integer not null, reason text not null
);
create unique index if not exists delivery_known on delivery (source, id);
"""


class Spool:
    """The spool in a folder. `store` is one thread's, `after` is another's. `close` it in the end."""

    def __init__(self, folder: Path, *, remember: float, max_bytes: int) -> None:
        """Open it, made if need be. Raises `Fatal` where the folder cannot be written, is in use, or holds no spool."""
        self._remember, self._max_bytes = remember, max_bytes
        self._lock = _locked(folder)
        try:
            self._writing = self._connect(folder / FILE)
            self._writing.executescript(_SCHEMA)
            self._reading = self._connect(folder / FILE)
            ends = self._writing.execute(
                "select coalesce(max(seq), 0), coalesce(sum(length(value)), 0) from record"
            ).fetchone()
        except sqlite3.Error as error:
            self._lock.close()
            raise Fatal(f"{folder / FILE} cannot be used: {error}", remedy=REPAIR) from error
        self._seq, self.waiting_bytes = ends

    @staticmethod
    def _connect(file: Path) -> sqlite3.Connection:
        found = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        found.execute("pragma journal_mode=wal")
        found.execute("pragma synchronous=full")
        return found

    def store(self, entries: Sequence[Entry], *, sent: int = 0) -> list[Answer]:
        """What the sender of each is told, once all that was accepted is on the disk. Records up to `sent` are on Kafka and leave.

        Raises `Transient` where the disk refuses; then nothing has changed.
        """
        seq, size = self._seq, self.waiting_bytes
        try:
            self._writing.execute("begin immediate")
            self._remove(sent)
            answers = [self._keep(entry) for entry in entries]
            if entries:
                self._forget(entries[-1].at - self._remember)
            self._writing.execute("commit")
        except sqlite3.Error as error:
            self._seq, self.waiting_bytes = seq, size
            if self._writing.in_transaction:
                self._writing.execute("rollback")
            raise Transient(f"the spool takes nothing: {error}", remedy="is the disk full?") from error
        return answers

    def _keep(self, entry: Entry) -> Answer:
        size = sum(len(record.value) for record in entry.records)
        if entry.delivery is not None:
            known = self._known(entry.delivery)
            if known is not None:
                return known
        if self.waiting_bytes + size > self._max_bytes:
            return FULL
        if entry.delivery is not None:
            self._writing.execute(
                "insert into delivery (source, id, digest, at, status, reason) values (?, ?, ?, ?, ?, ?)",
                (*entry.delivery, entry.at, *entry.answer),
            )
        self._writing.executemany(
            "insert into record values (?, ?, ?, ?, ?)",
            [
                (seq, record.topic, record.key, record.value, _written(record.headers))
                for seq, record in enumerate(entry.records, self._seq + 1)
            ],
        )
        self._seq += len(entry.records)
        self.waiting_bytes += size
        return entry.answer

    def _known(self, delivery: Delivery) -> Answer | None:
        found = self._writing.execute(
            "select digest, status, reason from delivery where source = ? and id = ?", delivery[:2]
        ).fetchone()
        if found is None:
            return None
        return Answer(*found[1:]) if found[0] == delivery.digest else CONFLICT

    def _forget(self, before: float) -> None:
        self._writing.execute(
            "delete from delivery where place in (select place from (select place, at from delivery order by place limit ?) where at < ?)",
            (FORGOTTEN_AT_ONCE, before),
        )

    def _remove(self, sent: int) -> None:
        (size,) = self._writing.execute(
            "select coalesce(sum(length(value)), 0) from record where seq <= ?", (sent,)
        ).fetchone()
        self._writing.execute("delete from record where seq <= ?", (sent,))
        self.waiting_bytes -= size

    def after(self, seq: int, *, most: int, most_bytes: int) -> list[tuple[int, Record]]:
        """The records behind this number, in order: at most `most`, and not many more than `most_bytes`."""
        found = self._reading.execute("select * from record where seq > ? order by seq limit ?", (seq, most))
        return list(_up_to(most_bytes, found))

    def close(self) -> None:
        """Leave it to the next process."""
        self._reading.close()
        self._writing.close()
        self._lock.close()


def _locked(folder: Path) -> IO[bytes]:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / ".lock").open("wb")
    except OSError as error:
        raise Fatal(
            f"the spool {folder} cannot be written: {error.strerror}", remedy="set BURNLINE_WEBHOOKS__SPOOL_DIR"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Fatal(
            f"another process has the spool {folder}",
            remedy="stop it, or give this one its own BURNLINE_WEBHOOKS__SPOOL_DIR",
        ) from None
    return lock


def _written(headers: Iterable[tuple[str, str | bytes | None]]) -> str:
    """Ours are all text."""
    return json.dumps([(name, value.decode() if isinstance(value, bytes) else value) for name, value in headers])


def _up_to(most_bytes: int, rows: Iterable[tuple[int, str, bytes, bytes, str]]) -> Iterator[tuple[int, Record]]:
    size = 0
    for seq, topic, key, value, headers in rows:
        if size > most_bytes:
            return
        size += len(value)
        yield seq, Record(topic, key, value, [(name, said) for name, said in json.loads(headers)])
