"""What capture can read of an Odoo, mapping by mapping: for `doctor`, and for those who wait for the first snapshot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from infra.config import section
from infra.odoo import OdooClient
from infra.odoo.client import connect
from infra.settings import Settings
from producers.capture.source import Source
from producers.core.mapping import mappings
from producers.core.policy import CapturePolicy

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """A mapping that cannot be served, and is left out, or something that the configuration says of it and that cannot come true."""

    model: str
    detail: str
    remedy: str


def survey(
    client: OdooClient, config: Mapping[str, object], read: Mapping[str, Collection[str]] | None = None
) -> Iterator[Problem]:
    """Every mapping that this Odoo or this user cannot serve, and doubts about the others; none when all is well.

    `read` are the fields of each model that the capture has read so far.
    """
    source = Source(client, PAGE)
    for mapping in mappings(section(dict(config), "capture", CapturePolicy)):
        lack = source.lack(mapping)
        if lack is None and read is not None:
            lack = source.lost(source.served(mapping), read.get(mapping.model, ()))
        for found in [lack] if lack is not None else source.doubts(mapping):
            yield Problem(mapping.model, found.detail, found.remedy)


def readable_models(settings: Settings, config: Mapping[str, object]) -> list[str]:
    """The models that the capture reads here. Raises `Fatal` or `Transient` as `connect` does."""
    source = Source(connect(settings.odoo), PAGE)
    return [one.mapping.model for one in source.readable(mappings(section(dict(config), "capture", CapturePolicy)))]
