"""How far may be committed: never past a record that has not ended."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.core.progress import Progress


@st.composite
def histories(draw):
    """Offsets with gaps, as transactions leave them, and an order in which some of them end."""
    offsets = sorted(draw(st.sets(st.integers(0, 50), min_size=1)))
    ended = draw(st.lists(st.sampled_from(offsets), unique=True))
    return offsets, ended


@given(histories())
def test_everything_before_the_committed_offset_has_ended(history):
    offsets, ended = history
    progress = Progress()
    for offset in offsets:
        progress.started(3, offset)
    for offset in ended:
        progress.ended(3, offset)

    committed = progress.committable()[3]

    assert all(offset in ended for offset in offsets if offset < committed)
    assert committed > offsets[-1] or committed not in ended
    assert progress.under_way == len(offsets) - len(ended)


def test_markers_of_transactions_after_the_last_record_are_passed():
    progress = Progress()
    progress.started(0, 4)
    progress.reached(0, 6)
    assert progress.committable() == {0: 4}

    progress.ended(0, 4)
    assert progress.committable() == {0: 6}


def test_a_partition_that_went_to_another_is_not_committed():
    progress = Progress()
    progress.started(0, 4)
    progress.forget(0)
    progress.ended(0, 4)

    assert progress.committable() == {}
