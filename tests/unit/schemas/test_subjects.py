"""Subjects are the contract with whoever looks a schema up by its name."""

from __future__ import annotations

from schemas.released import index
from schemas.subjects import subjects
from schemas.topics import TOPICS


def test_a_subject_is_named_after_topic_and_record():
    found = {subject.name: subject for subject in subjects(index())}
    timesheet = found["delivery.timesheet.v1-burnline.delivery.TimesheetEvent"]
    assert timesheet.compatibility == "FULL_TRANSITIVE"
    assert {release.record for release in timesheet.releases} == {"burnline.delivery.TimesheetEvent"}


def test_internal_topics_promise_replays_only():
    levels = {subject.compatibility for subject in subjects(index()) if subject.name.startswith("internal.")}
    assert levels == {"BACKWARD_TRANSITIVE"}


def test_every_release_has_a_subject():
    """What has none could not be written once a registry is configured."""
    everywhere = {release for subject in subjects(index()) for release in subject.releases}
    assert everywhere == set(index().by_id.values())


def test_rows_of_state_have_subjects_where_they_are_kept_and_nowhere_else():
    kept = {
        name: {subject.name.partition("-burnline.internal.")[2] for subject in subjects(index()) if subject.name.startswith(name)}
        for name in TOPICS
        if name.endswith("-state.v1")
    }  # fmt: skip
    assert kept["internal.client-exposure-state.v1"] == {"ExposureEntry", "TickEntry", "AlertRow"}
    assert all({"TickEntry", "AlertRow"} <= rows for rows in kept.values())
    assert not any({"Frame", "CaptureCursor"} & rows for rows in kept.values())


def test_one_schema_may_stand_under_several_subjects():
    frames = [subject for subject in subjects(index()) if subject.name.endswith("burnline.internal.Frame")]
    assert len(frames) == sum(topic.record == "burnline.internal.Frame" for topic in TOPICS.values())
