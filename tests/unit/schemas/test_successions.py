"""A topic that is replaced: what its subscribers go on getting, and what they are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from schemas import successions
from schemas.events import cloudevents_headers, event_id, meta
from schemas.successions import Succession, older_editions, retold
from schemas.topics import TOPICS, Deprecation

V1, V2, V3 = (replace(TOPICS["delivery.project.v1"], name=f"delivery.project.v{major}") for major in (1, 2, 3))
AT = datetime(2026, 3, 1, tzinfo=UTC)


def event(topic, **changes):
    head = meta(
        topic, "created", source="odoo:firm", subject="odoo:firm:project.project:5", version=3, occurred_at=AT,
        recorded_at=AT, mode="poll", tenant="firm", company_id=1,
    )  # fmt: skip
    return {"meta": {**head, **changes}, "told": topic.name}


def succession(old, new):
    def told(topic):
        return lambda found: {"meta": retold(found["meta"], topic), "told": topic.name}

    return Succession(old, new, told(new), told(old))


def test_nothing_is_replaced_yet():
    assert successions.SUCCESSIONS == ()
    assert list(older_editions(V1, event(V1))) == []


def test_an_event_is_told_to_every_older_major_with_that_one_s_id_and_type(monkeypatch):
    monkeypatch.setattr(successions, "SUCCESSIONS", (succession(V1, V2), succession(V2, V3)))
    assert [topic.name for topic, _ in older_editions(V3, event(V3))] == [V2.name, V1.name]
    for topic, older in older_editions(V3, event(V3)):
        own = event(topic)["meta"]
        assert {**older["meta"], "correlation_id": own["correlation_id"]} == own
        assert older["told"] == topic.name
    assert list(older_editions(V1, event(V1))) == []


def test_there_and_back_an_event_is_itself():
    there = succession(V1, V2)
    found = event(V1, correlation_id=event_id("a", "b", 1, "c"), causation_id=event_id("a", "b", 2, "c"))
    assert there.downcast(there.upcast(found)) == found


def test_a_verb_that_the_other_major_does_not_have_is_refused():
    with pytest.raises(KeyError, match="blessed"):
        retold({**event(V1)["meta"], "event_type": "delivery.project.blessed.v1"}, V2)


def test_the_headers_of_a_deprecated_topic_say_since_when_until_when_and_what_next():
    ending = replace(V1, deprecation=Deprecation(date(2026, 6, 1), date(2026, 12, 31), V2.name))
    more = cloudevents_headers(ending, event(ending)["meta"])
    assert [pair for pair in more if pair not in cloudevents_headers(V1, event(V1)["meta"])] == [
        ("deprecation", b"@1780272000"),
        ("sunset", b"Thu, 31 Dec 2026 00:00:00 GMT"),
        ("successor", b"delivery.project.v2"),
    ]
