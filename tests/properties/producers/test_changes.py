"""Laws of change detection, for any history of a record and any way of looking at it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from producers.core.changes import Origin, change, state_before
from producers.core.lookups import Company, Lookups
from producers.core.mapping import Context, mappings
from producers.core.policy import CapturePolicy
from schemas import codec
from schemas.events import odoo_key

T0 = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CONTEXT = Context(Lookups(companies={1: Company("EUR", "Europe/Brussels", None)}))
SUBJECT = odoo_key("db", "account.analytic.line", 3)
TIMESHEET = next(e for m in mappings(CapturePolicy()) for e in m.entities if e.topic_name == "delivery.timesheet.v1")
DISPUTE = next(e for m in mappings(CapturePolicy()) for e in m.entities if e.topic_name == "finance.dispute.v1")


def origin(mode: Any = "poll", seen_at: datetime = T0) -> Origin:
    return Origin("odoo:db", "db", mode, seen_at)


lines = st.none() | st.fixed_dictionaries(
    {
        "id": st.just(3),
        "company_id": st.just(1),
        "project_id": st.sampled_from([False, 5, 6]),
        "date": st.sampled_from(["2026-03-01", "2026-03-02"]),
        "unit_amount": st.sampled_from([1.0, 2.5]),
        "amount": st.just(-10.0),
        "timesheet_invoice_id": st.sampled_from([False, 9]),
    }
)
histories = st.lists(lines, min_size=1, max_size=12).map(
    lambda rows: [
        None if row is None else {**row, "write_date": (T0 + timedelta(seconds=n)).strftime("%Y-%m-%d %H:%M:%S")}
        for n, row in enumerate(rows)
    ]
)


def capture(rows: list[Any], entity: Any = TIMESHEET, previous: Any = None) -> list[Any]:
    """Every event of a capture that sees these rows in turn."""
    out = []
    for row in rows:
        event = change(entity, previous, row, CONTEXT, subject=SUBJECT, origin=origin())
        if event is not None:
            out.append(event)
            previous = event
    return out


@given(histories)
def test_captured_twice_gives_the_same_events(history: list[Any]) -> None:
    assert capture(history) == capture(history)


@given(histories)
def test_versions_count_the_changes_and_ids_are_unique(history: list[Any]) -> None:
    events = capture(history)
    assert [e["meta"]["version"] for e in events] == list(range(1, len(events) + 1))
    assert len({e["meta"]["event_id"] for e in events}) == len(events)


@given(histories, st.data())
def test_looking_twice_anywhere_adds_nothing(history: list[Any], data: st.DataObject) -> None:
    times = data.draw(st.lists(st.integers(1, 3), min_size=len(history), max_size=len(history)))
    assert capture([row for row, n in zip(history, times, strict=True) for _ in range(n)]) == capture(history)


@given(histories, st.data())
def test_whatever_a_poll_misses_the_last_state_is_published(history: list[Any], data: st.DataObject) -> None:
    seen = data.draw(st.lists(st.booleans(), min_size=len(history), max_size=len(history)))
    looked = [row for row, look in zip(history, seen, strict=True) if look]
    last = history[-1]
    events = capture([*looked, last])
    wanted = TIMESHEET.state(last, CONTEXT, None) if last is not None else None
    assert state_before(events[-1] if events else None) == wanted


@given(histories)
def test_every_event_takes_the_state_before_to_the_state_after(history: list[Any]) -> None:
    before = None
    for event in capture(history):
        assert event["previous"] == before
        assert event["previous"] != event["current"]
        if event["previous"] is not None and event["current"] is not None:
            differing = [k for k, v in event["current"].items() if event["previous"][k] != v]
            assert event["changed"] == differing != []
        else:
            assert event["changed"] == []
        before = event["current"]


@given(histories, st.integers(0, 12))
def test_an_image_that_went_through_the_topic_gives_the_same_events(history: list[Any], cut: int) -> None:
    first = capture(history[:cut])
    name = TIMESHEET.topic.record
    image = codec.decode(codec.encode(name, first[-1])).value if first else None
    assert first + capture(history[cut:], previous=image) == capture(history)


@given(histories)
def test_approved_time_is_announced_and_taken_back_by_name(history: list[Any]) -> None:
    for event in capture(history):
        was = bool(event["previous"] and event["previous"]["approved"])
        now = bool(event["current"] and event["current"]["approved"])
        verb = event["meta"]["event_type"].split(".")[2]
        assert (verb == "approved") == (now and not was)
        assert (verb == "reopened") == (was and not now and event["current"] is not None)


moves = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.just(3),
            "company_id": st.just(1),
            "move_type": st.just("out_invoice"),
            "state": st.sampled_from(["draft", "posted", "cancel"]),
            "payment_state": st.sampled_from(["not_paid", "blocked", "paid"]),
            "x_dispute_state": st.sampled_from([False, "none", "open", "escalated", "resolved"]),
            "write_date": st.just("2026-03-01 12:00:00"),
        }
    ),
    max_size=8,
)


@given(moves)
def test_a_dispute_derived_from_history_settles_in_one_look(history: list[Any]) -> None:
    """What a dispute is depends on what it was: looking again must not move it further."""
    doubled = [row for row in history for _ in range(2)]
    assert capture(doubled, DISPUTE) == capture(history, DISPUTE)


def test_what_changed_without_a_stamp_was_recorded_when_it_was_seen() -> None:
    row = {
        "id": 3, "company_id": 1, "project_id": 5, "date": "2026-02-01", "unit_amount": 1.0, "amount": 0.0,
        "write_date": "2026-03-01 11:00:00",
    }  # fmt: skip
    first = change(TIMESHEET, None, row, CONTEXT, subject=SUBJECT, origin=origin("sweep"))
    assert first is not None
    assert first["meta"]["recorded_at"] == T0 - timedelta(hours=1), "a first sight has Odoo's stamp"
    silent = change(TIMESHEET, first, {**row, "unit_amount": 2.0}, CONTEXT, subject=SUBJECT, origin=origin())
    assert silent is not None
    assert silent["meta"]["recorded_at"] == T0


def test_a_deletion_has_the_company_and_the_time_it_was_seen() -> None:
    row = {"id": 3, "company_id": 1, "project_id": 5, "date": "2026-02-01", "write_date": "2026-03-01 11:00:00"}
    first = change(TIMESHEET, None, row, CONTEXT, subject=SUBJECT, origin=origin())
    gone = change(TIMESHEET, first, None, CONTEXT, subject=SUBJECT, origin=origin())
    assert gone is not None
    assert (gone["meta"]["occurred_at"], gone["meta"]["company_id"], gone["current"]) == (T0, 1, None)
    assert gone["meta"]["event_type"] == "delivery.timesheet.deleted.v1"
