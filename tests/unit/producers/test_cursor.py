"""Where a poll looks. The correctness of capture rests on these: each case says which change would be lost without it."""

from datetime import UTC, datetime, timedelta

from producers.core.cursor import SHORT_LOOK_BACK, Clock, Window, fresh

T0 = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
OVERLAP = 150.0


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


class TestClock:
    def test_nothing_is_known_before_the_first_stamp(self) -> None:
        assert Clock().now(5.0) is None

    def test_time_passes_from_the_newest_stamp_on(self) -> None:
        clock = Clock()
        clock.observe(T0, 100.0, T0)
        assert clock.now(107.9) == T0 + seconds(7), "whole seconds, rounded down: the bound stays a lower one"

    def test_an_old_stamp_seen_late_changes_nothing(self) -> None:
        clock = Clock()
        clock.observe(T0, 100.0, T0)
        clock.observe(T0 - seconds(60), 101.0, T0)
        assert clock.now(101.0) == T0 + seconds(1)

    def test_a_stamp_from_the_far_future_would_blind_the_poll_and_is_not_believed(self) -> None:
        clock = Clock()
        assert not clock.observe(T0 + timedelta(days=365), 100.0, T0)
        assert clock.now(100.0) is None


class TestWindow:
    def test_without_a_high_water_everything_is_looked_at(self) -> None:
        assert Window(None, OVERLAP).begin(slow=False) is None

    def test_a_restart_looks_back_by_the_kind_of_its_first_pass(self) -> None:
        window = Window(T0, OVERLAP)
        assert window.begin(slow=True) == T0 - seconds(OVERLAP)
        assert window.begin(slow=False) == T0 - SHORT_LOOK_BACK

    def test_a_fast_pass_does_not_excuse_the_slow_one(self) -> None:
        window = Window(T0, OVERLAP)
        window.covered(T0 + seconds(1000), slow=False)
        assert window.begin(slow=False) == T0 + seconds(1000) - SHORT_LOOK_BACK
        assert window.begin(slow=True) == T0 - seconds(OVERLAP), "an outage longer than the overlap leaves no gap"

    def test_a_slow_pass_covers_the_fast_one(self) -> None:
        window = Window(T0, OVERLAP)
        window.covered(T0 + seconds(10), slow=True)
        assert window.begin(slow=False) == T0 + seconds(10) - SHORT_LOOK_BACK

    def test_it_never_goes_back(self) -> None:
        window = Window(T0, OVERLAP)
        window.covered(T0 - seconds(10), slow=True)
        assert window.begin(slow=True) == T0 - seconds(OVERLAP)

    def test_a_pass_that_began_without_a_clock_covers_nothing(self) -> None:
        window = Window(None, OVERLAP)
        window.covered(None, slow=True)
        assert window.begin(slow=True) is None


def test_a_fresh_cursor_has_seen_nothing() -> None:
    cursor = fresh("res.partner")
    assert (cursor["snapshot_done"], cursor["snapshot_id"], cursor["high_water"]) == (False, 0, None)
