"""The lookup tables, kept: read afresh at every sweep, and at once when a row asks for an entry that is not there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import structlog

from infra.odoo.client import Row
from producers.capture.source import Source
from producers.core.lookups import Lookups
from producers.core.mapping import ModelMapping

log = structlog.get_logger()


class Tables:
    """The present lookups."""

    def __init__(self, source: Source) -> None:
        """Read them once."""
        self._source = source
        self.present = source.lookups()
        self._missing: set[tuple[str, int]] = set()
        self.changed: frozenset[str] = frozenset()
        """Tables that changed and whose dependents were not yet looked at again."""

    def refresh(self) -> None:
        """Read them afresh, and note which ones changed."""
        before, self.present = self.present, self._source.lookups()
        names = {f.name for f in fields(Lookups)}
        changed = {name for name in names if getattr(before, name) != getattr(self.present, name)}
        if changed:
            log.info("lookups_changed", tables=sorted(changed))
        self.changed |= changed

    def ready_for(self, mapping: ModelMapping, rows: Iterable[Row]) -> None:
        """Read the tables afresh if these rows ask for entries never asked for before that are not there."""
        asked = {(table, key) for row in rows for table, key in mapping.needs(row) if key is not None}
        missing = {(table, key) for table, key in asked if key not in getattr(self.present, table)} - self._missing
        if not missing:
            return
        self.refresh()
        self._missing |= missing
