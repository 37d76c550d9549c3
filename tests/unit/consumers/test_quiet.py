"""Quiet hours: when nobody is told, whatever the season, and how a service level runs around them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.core.quiet import DAYS, Quiet

NIGHT = Quiet("Europe/Brussels", "20:00", "07:00")
NOON = Quiet("UTC", "12:00", "13:00")
WEEKEND = Quiet("Europe/Brussels", days=("sat", "sun"))
OFFICE = Quiet("Europe/Brussels", "18:00", "08:00", ("sat", "sun"))


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "moment", "wakes"),
    [
        pytest.param(NIGHT, "2026-01-14T18:59", None, id="a minute before, in winter"),
        pytest.param(NIGHT, "2026-01-14T19:00", "2026-01-15T06:00", id="it begins to the minute"),
        pytest.param(NIGHT, "2026-07-14T18:00", "2026-07-15T05:00", id="the wall clock counts, in summer, too"),
        pytest.param(NIGHT, "2026-01-15T05:59", "2026-01-15T06:00", id="after midnight it is still the same night"),
        pytest.param(NIGHT, "2026-01-15T06:00", None, id="its end is awake"),
        pytest.param(NIGHT, "2026-03-28T23:30", "2026-03-29T05:00", id="the night of the change to summer time"),
        pytest.param(NIGHT, "2026-10-24T23:30", "2026-10-25T06:00", id="the night of the change back"),
        pytest.param(NOON, "2026-01-14T12:30", "2026-01-14T13:00", id="hours within a day"),
        pytest.param(NOON, "2026-01-14T23:59", None, id="and nothing else of it"),
        pytest.param(WEEKEND, "2026-01-16T23:00", "2026-01-18T23:00", id="Saturday begins at the zone's midnight"),
        pytest.param(WEEKEND, "2026-01-16T22:59", None, id="not at ours"),
        pytest.param(OFFICE, "2026-01-16T17:00", "2026-01-19T07:00", id="Friday evening lasts until Monday"),
        pytest.param(OFFICE, "2026-01-14T12:00", None, id="a working day"),
    ],
)
def test_when_it_is_quiet_and_until_when(quiet, moment, wakes):
    expected = at(moment) if wakes is None else at(wakes)

    assert quiet.wakes(at(moment)) == expected
    assert quiet.is_quiet(at(moment)) is (wakes is not None)


@pytest.mark.parametrize(
    ("quiet", "start", "hours", "end"),
    [
        pytest.param(NIGHT, "2026-01-14T10:00", 4, "2026-01-14T14:00", id="within a day"),
        pytest.param(
            NIGHT, "2026-01-14T17:00", 4, "2026-01-15T08:00", id="two hours in the evening, two in the morning"
        ),
        pytest.param(NIGHT, "2026-01-14T22:00", 4, "2026-01-15T10:00", id="begun at night, it runs from the morning"),
        pytest.param(OFFICE, "2026-01-16T16:00", 2, "2026-01-19T08:00", id="over a weekend"),
        pytest.param(NIGHT, "2026-03-28T18:00", 2, "2026-03-29T06:00", id="over the change to summer time"),
        pytest.param(NIGHT, "2026-01-14T18:00", 1, "2026-01-14T19:00", id="up to the last minute before the night"),
    ],
)
def test_a_service_level_runs_outside_quiet_hours(quiet, start, hours, end):
    assert quiet.after(at(start), timedelta(hours=hours)) == at(end)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param({"zone": "Mars/Olympus"}, "zone: 'Mars/Olympus' is no IANA time zone", id="no such zone"),
        pytest.param({"zone": "../etc"}, "is no IANA time zone", id="a path"),
        pytest.param({"zone": "UTC"}, "neither hours nor days", id="nothing is quiet"),
        pytest.param({"zone": "UTC", "begins": "20:00"}, "go together", id="no end"),
        pytest.param({"zone": "UTC", "begins": "20:00", "ends": "20:00"}, "nobody would ever be told", id="all day"),
        pytest.param({"zone": "UTC", "days": DAYS}, "nobody would ever be told", id="all week"),
        pytest.param(
            {"zone": "UTC", "begins": "25:00", "ends": "7"}, "begins: '25:00' is no time of day", id="no hour"
        ),
        pytest.param({"zone": "UTC", "begins": "20:00Z", "ends": "07:00"}, "no time of day", id="a zone of its own"),
    ],
)
def test_what_is_no_quiet_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        Quiet(**wrong)


moments = st.integers(0, 4 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
spans = st.timedeltas(timedelta(), timedelta(days=20))
zones = st.sampled_from(["UTC", "Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
hours = st.times().map(lambda hour: hour.replace(second=0, microsecond=0).isoformat("minutes"))


@st.composite
def quiets(draw):
    days = tuple(draw(st.sets(st.sampled_from(DAYS), max_size=6)))
    begins, ends = draw(st.tuples(hours, hours).filter(lambda pair: pair[0] != pair[1]))
    return Quiet(draw(zones), begins, ends, days)


@given(quiets(), moments, spans)
def test_law_what_passes_after_a_span_is_the_span(quiet, start, span):
    assert quiet.passed(start, quiet.after(start, span)) == span


@given(quiets(), moments)
def test_law_whoever_wakes_is_awake_and_nobody_sleeps_backwards(quiet, moment):
    woken = quiet.wakes(moment)

    assert woken >= moment
    assert not quiet.is_quiet(woken)
    assert quiet.wakes(woken) == woken


@given(quiets(), moments, moments, spans)
def test_law_who_starts_later_ends_no_earlier(quiet, one, other, span):
    first, second = sorted((one, other))

    assert quiet.after(first, span) <= quiet.after(second, span)
