"""A mapping: how the rows of one model become the states of one entity, as a table that a person can read.

`fields`, and the firm's `own`, are needed: without one the mapping cannot run. `optional` ones are left out where the user may not see them, and
the state has null in their place. `where` says which records are entities at all; `watch` is the wider domain that is
polled, so that a record that leaves `where` is noticed: its state is None, which is a deletion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from producers.core.lookups import Lookups
from producers.core.policy import CapturePolicy
from producers.core.values import Row, written
from schemas.topics import Topic, topic

State = Mapping[str, Any]
Event = Mapping[str, Any]
Domain = tuple[str | tuple[str, str, Any], ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What a state is made with besides its row."""

    lookups: Lookups = field(default_factory=Lookups)
    policy: CapturePolicy = field(default_factory=CapturePolicy)


@dataclass(frozen=True, slots=True)
class Children:
    """Rows of another model that belong to each row, read with it and put under `name`, those of them that are `where`.

    Where they cannot be read the mapping cannot run; with `needed` false it runs, and its rows have none.
    """

    name: str
    model: str
    parent: str
    fields: tuple[str, ...]
    optional: tuple[str, ...] = ()
    where: tuple[tuple[str, str, Any], ...] = ()
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Own:
    """A field that the firm names: it has one of these types (any, without them), and its selection these values; many2many ones lead to `relation`.

    With `named` what people read of it is wanted: a many2one then comes as `[id, name]`.
    """

    name: str
    types: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    relation: str = ""
    named: bool = False


def word(name: str | None) -> tuple[Own, ...]:
    """A field that says something in the firm's words, where it names one."""
    return (Own(name, ("char", "text", "selection", "many2one"), named=True),) if name else ()


def figure(name: str | None) -> tuple[Own, ...]:
    """A field that holds a number, where the firm names one."""
    return (Own(name, ("float", "monetary", "integer")),) if name else ()


@dataclass(frozen=True, slots=True)
class Sum:
    """A figure that both sides can add up: `field` in Odoo's rows times `factor`, and `of` in our states times `scale`, are one whole number.

    Sums of ids tell that a reference changed. Rounding may make them differ by `slack` for each record.
    """

    field: str
    of: str
    factor: int = 1
    scale: int = 1
    slack: float = 0.0


def ids(field_name: str, of: str = "") -> Sum:
    """A reference; without `of`, the state names it as Odoo does."""
    return Sum(field_name, of or field_name)


def amount(field_name: str, of: str, *, sign: int = 1) -> Sum:
    """Money, in ten thousandths."""
    return Sum(field_name, of, factor=sign * 10_000, scale=10_000)


def hours(field_name: str, of: str) -> Sum:
    """Hours in Odoo, whole minutes in our states."""
    return Sum(field_name, of, factor=60, slack=0.5)


@dataclass(frozen=True, slots=True)
class Period:
    """The day or moment by whose month records are counted: in Odoo's rows, and in our states."""

    field: str
    of: str


@dataclass(frozen=True, slots=True)
class Follow:
    """A model whose changes do not stamp the record they change: `to` names the record in its rows.

    Without `through`, `to` holds the record's id; with it, records are those whose field `through` holds that id.
    """

    model: str
    to: str
    through: str = ""


@dataclass(frozen=True, slots=True)
class Verbs:
    """Event types from transitions of `status`: its verb where a status is new, `first` for another first state, else `changed`."""

    by_status: Mapping[str, str]
    first: str
    gone: str = "deleted"

    def __call__(self, previous: Any, current: Any) -> str:
        """The verb of the change between two states."""
        if current is None:
            return self.gone
        if previous is None:
            return self.by_status.get(current["status"], self.first)
        reached = previous["status"] != current["status"]
        return self.by_status.get(current["status"], "changed") if reached else "changed"


PART = "burnline_part"
"""Under this name a row says of which of its parts a state is wanted."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of event made from a row. `state` sees the state last published, for what only history tells.

    With `parts` there are several in one row, one for each number that it returns: their key is the row's and the number, and
    `state` is None for a number that is not there any more.
    """

    topic_name: str
    state: Callable[[Row, Context, Any], State | None]
    verb: Callable[[Any, Any], str]
    occurred_at: Callable[[Row, Any, Any, Context], datetime] = lambda row, _previous, _current, _context: written(row)
    parts: Callable[[Row], Iterable[int]] | None = None

    @property
    def topic(self) -> Topic:
        """The contract of its topic."""
        return topic(self.topic_name)


@dataclass(frozen=True, slots=True)
class ModelMapping:
    """One model, the Odoo module that brings it, and its entities: one read feeds all of them.

    Every record that is `where` must be an entity of the first kind; of the others it may be. `sums` and `period` are of the first kind, for
    the audit's ledger.
    """

    model: str
    module: str
    fields: tuple[str, ...]
    entities: tuple[Entity, ...]
    own: tuple[Own, ...] = ()
    optional: tuple[str, ...] = ()
    where: Domain = ()
    watch: Domain = ()
    children: tuple[Children, ...] = ()
    follows: tuple[Follow, ...] = ()
    uses: tuple[str, ...] = ()
    needs: Callable[[Row], Iterable[tuple[str, int | None]]] = lambda _row: ()
    sums: tuple[Sum, ...] = ()
    period: Period | None = None
    hot: bool = False
    """Polled at every interval; the others at every fourth, since people change them seldom."""

    @property
    def needed(self) -> tuple[str, ...]:
        """The fields without which it cannot run."""
        return (*self.fields, *(own.name for own in self.own))


def wanted_fields(mapping: ModelMapping, present: Iterable[str]) -> tuple[str, ...]:
    """The fields to read, given those the user may see."""
    seen = set(present)
    chosen = [*mapping.needed, *(name for name in mapping.optional if name in seen), "create_date", "write_date"]
    return tuple(dict.fromkeys(chosen))
