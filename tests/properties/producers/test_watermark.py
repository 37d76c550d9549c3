"""Whatever order readings, changes and chunks come in: nothing older is published after something newer, and in the end all is as it is."""

from hypothesis import given
from hypothesis import strategies as st

from producers.core.watermark import LiveReads

IDS = range(4)
STEPS = st.one_of(
    st.tuples(st.just("change"), st.sampled_from(IDS)),
    st.tuples(st.just("live"), st.sampled_from(IDS)),
    st.tuples(st.just("ask"), st.just(0)),  # a page is asked for: its mark is taken
    st.tuples(st.just("read"), st.just(0)),  # Odoo reads it, some time later
    st.tuples(st.just("take"), st.just(0)),  # and it is taken for publishing, later still
)


@given(st.lists(STEPS, max_size=60))
def test_a_chunk_never_takes_back_what_was_read_live(steps: list[tuple[str, int]]) -> None:  # noqa: C901  five kinds of steps, one place
    source = dict.fromkeys(IDS, 0)
    published = dict.fromkeys(IDS, -1)
    live = LiveReads()
    asked: list[int] = []
    read: list[tuple[int, dict[int, int]]] = []

    def publish(record_id: int, version: int) -> None:
        assert version >= published[record_id], "an older state after a newer one"
        published[record_id] = version

    with live.watched():
        for step, record_id in steps:
            match step:
                case "change":
                    source[record_id] += 1
                case "live":
                    found = source[record_id]
                    live.note([record_id])
                    publish(record_id, found)
                case "ask":
                    asked.append(live.mark)
                case "read" if asked:
                    read.append((asked.pop(0), dict(source)))
                case "take" if read:
                    mark, rows = read.pop(0)
                    for one, version in rows.items():
                        if not live.newer(one, mark):
                            publish(one, version)
                        else:
                            assert published[one] >= 0, "what was dropped was published from a live reading"
                    live.forget(mark)
    for one in IDS:  # the next pass finds what changed after its last reading, by its stamp
        publish(one, source[one])
    assert published == source


def test_nothing_is_remembered_while_no_chunk_is_on_its_way() -> None:
    live = LiveReads()
    live.note(range(1000))
    assert not live.newer(1, 0)
    with live.watched():
        mark = live.mark
        live.note([1])
        assert live.newer(1, mark)
        assert not live.newer(1, live.mark)
        assert not live.newer(2, mark)
    assert not live.newer(1, mark)
