"""What an audit holds to be a difference."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from producers.audit.shelf import Shelf
from producers.audit.topics import places_of
from producers.capture.images import joined
from producers.core import audit
from producers.core.changes import told_again
from producers.core.mapping import mappings
from producers.core.mapping.base import amount, hours, ids
from producers.core.policy import CapturePolicy
from schemas.events import event_id
from tests.support.rows import mapping_of


@pytest.mark.parametrize(
    ("known", "version", "raw", "compacted", "kind"),
    [
        pytest.param(None, 1, b"a", False, None, id="the first event"),
        pytest.param((1, b"a"), 2, b"b", False, None, id="the next one"),
        pytest.param((1, b"a"), 2, b"a", False, None, id="the next one may say the same"),
        pytest.param(None, 2, b"a", False, "lost", id="the first one is not there"),
        pytest.param((1, b"a"), 3, b"b", False, "lost", id="one in between is not there"),
        pytest.param((1, b"a"), 3, b"b", True, None, id="a compacted topic leaves out by design"),
        pytest.param(None, 7, b"a", True, None, id="and begins anywhere"),
        pytest.param((2, b"a"), 2, b"b", False, "doubled", id="a version twice, with other content"),
        pytest.param((2, b"a"), 2, b"a", False, "doubled", id="a version twice"),
        pytest.param((2, b"a"), 2, b"b", True, "doubled", id="on a compacted topic, too"),
        pytest.param((3, b"a"), 2, b"b", False, "doubled", id="an older version late"),
    ],
)
def test_what_is_odd_about_an_event(
    known: tuple[int, bytes] | None, version: int, raw: bytes, compacted: bool, kind: str | None
) -> None:
    found = audit.trouble(known, version, raw, compacted=compacted)
    assert (found.kind if found else None) == kind


TABLE = (amount("amount", "cost", sign=-1), hours("unit_amount", "minutes"), ids("employee_id"))
STATE = {"cost": Decimal("76.0000"), "minutes": 456, "employee_id": 7}
ROW = {"__count": 1, "id:sum": 3, "amount:sum": -76.0, "unit_amount:sum": 7.6, "employee_id:sum": 7}


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        pytest.param({}, True, id="the same in other units"),
        pytest.param({"unit_amount:sum": 7.608}, True, id="half a minute is rounding"),
        pytest.param({"unit_amount:sum": 7.65}, False, id="three minutes are not"),
        pytest.param({"amount:sum": -76.01}, False, id="a cent"),
        pytest.param({"amount:sum": -76.00000000001}, True, id="the noise of floats"),
        pytest.param({"employee_id:sum": 8}, False, id="another reference"),
        pytest.param({"id:sum": 4}, False, id="another record"),
        pytest.param({"__count": 2}, False, id="one more"),
    ],
)
def test_whether_two_sides_agree(changed: dict[str, Any], same: bool) -> None:
    topic = audit.Figures(1, 3, tuple(audit.figures_of(TABLE, STATE)))
    assert audit.agree(TABLE, audit.odoo_figures(TABLE, {**ROW, **changed}), topic) is same


def test_nothing_is_false_in_odoo_and_null_with_us() -> None:
    empty = {"__count": 0, "id:sum": False, "amount:sum": False, "unit_amount:sum": False, "employee_id:sum": False}
    assert audit.odoo_figures(TABLE, empty) == audit.nothing(TABLE)
    assert audit.figures_of(TABLE, {"cost": Decimal(0), "minutes": 0, "employee_id": None}) == [0, 0, 0]


@pytest.mark.parametrize(
    ("value", "period"),
    [
        pytest.param(date(2026, 3, 5), "2026-03", id="a day of ours"),
        pytest.param(datetime(2026, 3, 5, tzinfo=UTC), "2026-03", id="a moment of ours"),
        pytest.param(["2026-03-01", "March 2026"], "2026-03", id="Odoo's group"),
        pytest.param(["2026-03-01 00:00:00", "March 2026"], "2026-03", id="Odoo's group of moments"),
        pytest.param(False, "", id="Odoo's group without a day"),
        pytest.param(None, "", id="no day"),
    ],
)
def test_periods_are_months(value: object, period: str) -> None:
    assert audit.period_of(value) == period


@pytest.mark.parametrize("mapping", mappings(CapturePolicy()), ids=lambda one: one.model)
def test_sums_name_fields_that_are_read_and_fields_of_the_state(mapping: Any) -> None:
    known = {*mapping.needed, *mapping.optional, "create_date", "write_date"}
    state = mapping.entities[0].topic.record.removesuffix("Event").rpartition(".")[2]
    fields = __import__("schemas.records", fromlist=[state]).__dict__[state].__annotations__
    assert {one.field for one in mapping.sums} <= known
    assert {one.of for one in mapping.sums} <= fields.keys()
    if mapping.period is not None:
        assert mapping.period.field in known
        assert mapping.period.of in fields


def event(version: int, minutes: int | None = 60, mode: str = "poll", number: int = 5) -> Any:
    state = {
        "id": number, "minutes": minutes, "cost": Decimal(minutes or 0), "employee_id": 7, "project_id": 5, "task_id": None,
        "user_id": None, "order_line_id": None, "invoice_id": None, "date": date(2026, 3, 5), "approved": False, "status": "logged",
    }  # fmt: skip
    subject, kind = f"odoo:x:account.analytic.line:{number}", "delivery.timesheet.corrected.v1"
    moment = datetime(2026, 3, 10, tzinfo=UTC)
    meta = {
        "event_id": event_id("odoo:x", subject, version, kind), "event_type": kind, "source": "odoo:x", "subject": subject,
        "occurred_at": moment, "recorded_at": moment, "version": version, "correlation_id": "", "causation_id": None,
        "mode": mode, "tenant": "x", "company_id": 1,
    }  # fmt: skip
    return {"meta": meta, "previous": None, "current": state if minutes is not None else None, "changed": []}


def place() -> Any:
    mapping, _ = mapping_of("delivery.timesheet.v1")
    return places_of([mapping])[0]


def shelved(folder: Path, *events: Any) -> Shelf:
    shelf = Shelf(folder / "shelf", [place()])
    for one in events:
        shelf.add(place(), one["current"]["id"] if one["current"] else 5, repr(one).encode(), one)
        shelf.flush()
    return shelf


@pytest.mark.parametrize(
    ("events", "kinds"),
    [
        pytest.param([event(1), event(2)], [], id="in order"),
        pytest.param([event(1), event(1, 90)], ["doubled"], id="doubled"),
        pytest.param([event(1), event(1, 90), event(2)], [], id="a double is mended by any later event"),
        pytest.param([event(1), event(3)], ["lost"], id="lost"),
        pytest.param([event(1), event(3), event(4)], ["lost"], id="a loss is not mended by another event"),
        pytest.param([event(1), event(3), event(4, mode="repair")], [], id="but by a repair"),
        pytest.param([event(1), event(3, mode="repair"), event(3, mode="repair")], ["doubled", "lost"], id="both"),
    ],
)
def test_what_the_shelf_finds_odd(tmp_path: Path, events: list[Any], kinds: list[str]) -> None:
    with shelved(tmp_path, *events) as shelf:
        told = {found.kind for found in shelf.differences()}
        assert shelf.odd(place(), 5) is bool(kinds)
        assert len(told) <= 1, "one difference is told of each record"
        assert told <= set(kinds)
        assert bool(told) is bool(kinds)


def test_the_shelf_adds_up_what_exists(tmp_path: Path) -> None:
    with shelved(tmp_path, event(1), event(2, 90), event(1, 30, number=5002), event(1, 15, number=6)) as shelf:
        gone = event(2, None)
        shelf.add(place(), 6, b"x", gone)
        shelf.flush()
        assert shelf.between(place(), 1, 5000) == audit.Figures(1, 5, (900_000, 90, 7, 5, 0, 0, 0, 0))
        assert shelf.by_period(place())["2026-03"].count == 2
        assert shelf.highest(place()) == 5002
        assert shelf.between(place(), 5003, 9000) == audit.nothing(place().mapping.sums)
        assert shelf.unseen(place(), 1, 9000) == [5, 5002]
        shelf.images(place(), [5])
        assert shelf.unseen(place(), 1, 9000) == [5002]


def test_a_tombstone_takes_a_record_off_the_shelf(tmp_path: Path) -> None:
    with shelved(tmp_path, event(1)) as shelf:
        shelf.add(place(), 5, None, None)
        shelf.flush()
        assert shelf.images(place(), [5]) == {5: {}}


def test_a_state_told_again_is_the_next_version_of_the_same() -> None:
    _, entity = mapping_of("delivery.timesheet.v1")
    last = event(4)
    again = told_again(entity, last, at=datetime(2026, 3, 12, tzinfo=UTC))
    assert (again["meta"]["version"], again["meta"]["mode"]) == (5, "repair")
    assert again["current"] == again["previous"] == last["current"]
    assert again["meta"]["event_id"] != last["meta"]["event_id"]


def test_parts_of_a_record_have_numbers_of_their_own() -> None:
    assert len({joined(5, part) for part in (0, 1, 2)}) == 3


def figures(count: int, ids_: int, *sums: int) -> audit.Figures:
    return audit.Figures(count, ids_, sums)


def test_gaps_by_model_month_and_figure() -> None:
    same = figures(2, 7, 760_000, 912, 14)
    less = figures(1, 3, 380_000, 456, 7)
    found = audit.gaps(
        [
            ("line", "2026-03", TABLE, same, same),
            ("line", "2026-04", TABLE, same, less),
            ("line", audit.EVER, TABLE, same, figures(2, 7, 760_000, 913, 14)),
            ("move", "2026-03", (), figures(1, 1), figures(2, 3)),
        ]
    )
    assert found == {
        ("line", "2026-03", "records"): 0,
        ("line", "2026-04", "records"): -1,
        ("line", "2026-04", "ids"): -4,
        ("line", "2026-04", "cost"): -38,
        ("line", "2026-04", "minutes"): -456,
        ("line", "2026-04", "employee_id"): -7,
        ("line", "none", "records"): 0,
        ("move", "2026-03", "records"): 1,
        ("move", "2026-03", "ids"): 2,
    }, "half a minute a record is rounding"


def test_gaps_of_old_months_are_told_together_so_that_their_number_is_bounded() -> None:
    months = [f"{year}-{month:02}" for year in range(2010, 2030) for month in range(1, 13)]
    found = audit.gaps(("line", month, (), figures(1, 1), figures(2, 1)) for month in months)
    assert found["line", "older", "records"] == len(months) - audit.MONTHS
    assert {period for _, period, _ in found} == {"older", *months[-audit.MONTHS :]}
