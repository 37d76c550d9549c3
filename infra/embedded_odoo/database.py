"""Transactions on the firm's data: at once, or open for a while and committed late.

A late transaction keeps its work to itself until it commits, then applies it with the stamp of its begin. When one of
its records changed in between it starts again with a new stamp, as Odoo does after a serialization failure.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from infra.embedded_odoo.errors import StaleTransactionError
from infra.embedded_odoo.hints import Hints, payloads
from infra.embedded_odoo.orm import Env, Values
from infra.embedded_odoo.rules import METHODS, RULES
from infra.embedded_odoo.seed import ADMIN
from infra.embedded_odoo.store import Store
from infra.embedded_odoo.values import stamp

Work = Callable[[Env], Any]


class Database:
    """The store with its rules and its webhooks."""

    def __init__(self, store: Store, hints: Hints) -> None:
        """Work on `store` and tell `hints` after each commit."""
        self.store, self.hints = store, hints

    @contextmanager
    def change(self, uid: int = ADMIN, context: Values | None = None, began: str = "") -> Iterator[Env]:
        """One transaction: committed on leaving, undone when the body raises; hints go out after the commit."""
        bodies: list[dict[str, Any]] = []
        with self.store.write(began) as change:
            yield Env(self.store, change, RULES, uid, context)
            if self.hints.url:
                bodies = payloads(change)
        self.hints.post(bodies)

    def transaction(self, uid: int = ADMIN) -> "Transaction":
        """A transaction that begins now; use it as a context manager, or call `commit`."""
        return Transaction(self, uid)


class Transaction:
    """Work that was begun, and that nobody sees until it commits."""

    def __init__(self, database: Database, uid: int) -> None:
        """Begin now: this is the stamp of all its writes."""
        self.began = stamp(datetime.now(UTC))
        self._database, self._uid = database, uid
        self._work: list[Work] = []

    def run(self, work: Work) -> None:
        """Do this at the commit."""
        self._work.append(work)

    def create(self, model: str, values: Values) -> int:
        """A new record, whose id is taken now."""
        record_id = self._database.store.new_id(model)
        self.run(lambda env: env.create(model, values, record_id))
        return record_id

    def write(self, model: str, ids: Sequence[int], values: Values) -> None:
        """Values to set."""
        self.run(lambda env: env.write(model, ids, values))

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        """Records to delete."""
        self.run(lambda env: env.unlink(model, ids))

    def call(self, model: str, method: str, ids: Sequence[int], **kwargs: Any) -> None:
        """A method of the model to call."""
        self.run(lambda env: METHODS[model, method](env, ids, **kwargs))

    def commit(self) -> None:
        """Apply all of it in one transaction, or nothing."""
        try:
            self._apply(self.began)
        except StaleTransactionError:
            self._apply("")

    def _apply(self, began: str) -> None:
        with self._database.change(self._uid, began=began) as env:
            for work in self._work:
                work(env)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
