"""What a row leads to, before Kafka: the records of one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from producers.capture.images import Images, places
from producers.capture.pipeline import Pipeline
from producers.core.lookups import Lookups
from producers.core.mapping import Context, mappings
from producers.core.policy import CapturePolicy
from schemas import codec, successions
from schemas.successions import Succession, retold

POLICY = CapturePolicy()
CLIENTS = next(mapping for mapping in mappings(POLICY) if mapping.model == "res.partner")
ROW = {
    "id": 3, "name": "Azure Interior", "ref": False, "is_company": True, "parent_id": False, "country_id": False,
    "active": True, "company_id": 1, "write_date": "2026-03-10 09:00:00", "create_date": "2026-03-01 08:00:00",
}  # fmt: skip


class Written(list[Any]):
    """Takes the place of the publisher."""

    def refuse_large(self, record: Any) -> None:
        """Nothing here is large."""

    def commit(self, records: Any) -> None:
        self.extend(records)


def test_what_replaces_a_topic_is_told_on_that_one_in_the_same_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    (entity,) = CLIENTS.entities
    older = replace(entity.topic, name="sales.client.v0")
    told = Succession(older, entity.topic, dict, lambda event: {**event, "meta": retold(event["meta"], older)})
    monkeypatch.setattr(successions, "SUCCESSIONS", (told,))
    written = Written()
    pipeline = Pipeline(written, Images(places([CLIENTS])), database="firm", source="odoo:firm", progress=None)  # type: ignore[arg-type]  # as far as it is used
    lookups = Lookups(
        currencies={}, companies={}, calendars={}, project_of_account={}, company_of_project={}, employments={},
        worked_leave_types=frozenset(),
    )  # fmt: skip
    assert pipeline.publish(CLIENTS, [ROW], Context(lookups, POLICY), "poll") == 1
    assert [(record.topic, record.key) for record in written] == [
        ("sales.client.v1", b"odoo:firm:res.partner:3"),
        ("sales.client.v0", b"odoo:firm:res.partner:3"),
    ]
    newer, old = (codec.decode(record.value).value for record in written)
    assert newer["current"] == old["current"]
    assert [event["meta"]["event_type"] for event in (newer, old)] == [
        "sales.client.onboarded.v1",
        "sales.client.onboarded.v0",
    ]
