"""The functions that drive a processor.

`step` and `restore` fold entries, `measures` takes what changed, `pass_over` lets it go by, `look_up` tells one subject.

Rules
- `step` is the only one with effects to publish: rows, alerts, contributions. `restore` is the same folding without them.
- A duplicate, an older version and a tick of the past lead to nothing.
- Alerts are judged after every entry; measures are taken when the caller asks, of what changed since it asked last.
- A tick changes a subject only when the subject's day changes. What concerns everybody changes every subject. Subjects are then
  judged in the order of their keys, so that alerts come in the same order after a restart.
- What asks for it is judged at every tick, too, for the subjects that moved since the last one; what reports tells then how they stand.
- Before the first tick, and before a subject's master data, there is no measure and no alert.

Invariants: a state restored from its rows, in any order, goes on as if it had never stopped. What is published does not depend on
how entries were cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.errors import Fatal
from schemas.lines import TimeLine
from streams.core import days, kinds, reporting_lines
from streams.core.contract import ALERTS, EVERYBODY, NOTHING, Row, Step
from streams.core.processor import Processor, Stamp
from streams.core.publish import alert_events, measure_meta
from streams.core.state import AT, PartitionState

FROM_THE_FUTURE = "recorded_in_the_future"
"""The reason of a measure that a record moved which was written a day or more after the subject's day: some clock is wrong."""


def step(processor: Processor, partition: PartitionState, kind: str, entry: Any) -> Step:
    """Fold one entry into a partition; returns what to write and to publish. Raises `Fatal` for a kind foreign to the processor."""
    if kind == kinds.TICK:
        return _tick(processor, partition, entry)
    key: str = entry.subject if isinstance(entry, TimeLine) else entry["subject"]
    if key == EVERYBODY:
        return _everybody(processor, partition, kind, entry)
    subject = partition.subjects.get(key)
    if subject is None:
        subject = partition.subjects[key] = partition.shelf.take(key) or processor.new(key)
    try:
        row = processor.fold(subject, kind, entry, None)
    except KeyError as error:
        raise _foreign(processor, kind, error) from error
    if row is None:
        return NOTHING
    partition.changed[key] = None
    if subject.calm:
        return Step([row], NOTHING.alerts, NOTHING.contributions)
    out = Step([row], [], [])
    partition.place(subject)
    out.contributions.extend(processor.contributions(subject, entry))
    _judge(processor, partition, subject, out, recorded_at=entry["recorded_at"])
    return out


def restore(  # noqa: PLR0917  a row of a changelog as it lies there: its key's two parts, its kind, its entry
    processor: Processor, partition: PartitionState, row_subject: str, row_record: str, kind: str, entry: Any
) -> None:
    """Take back a row written by `step`. Rows may come in any order, and older values of a row before newer ones."""
    if row_subject == EVERYBODY:
        _restore_everybodys(processor, partition, row_record, kind, entry)
        return
    subject = partition.subjects.get(row_subject)
    if subject is None:
        subject = partition.subjects[row_subject] = partition.shelf.take(row_subject) or processor.new(row_subject)
    at_ticks = processor.at_ticks
    if at_ticks or processor.reports:
        partition.untold[row_subject] = None
    if kind == kinds.ALERT_ROW:
        subject.memory.load(entry["lines"])
    else:
        first = int(row_record.rpartition(AT)[2]) if kind in kinds.HISTORIES else None
        try:
            processor.fold(subject, kind, entry, first)
        except KeyError as error:
            raise _foreign(processor, kind, error) from error
        if kind != kinds.TIME:
            processor.contributions(subject, entry)  # told already: what was remembered is what others heard
            partition.place(subject)  # time says nothing of where its subject is
    subject.stale, subject.calm = True, at_ticks


def _restore_everybodys(
    processor: Processor, partition: PartitionState, row_record: str, kind: str, entry: Any
) -> None:
    if kind == kinds.TICK:
        if partition.tick is None or entry["at"] > partition.tick:
            begins = partition.advance(entry["at"])  # else nothing that is put away has to move
            for _, subject in partition.visit(partition.keys() if begins else list(partition.subjects)):
                partition.place(subject)
                subject.calm = processor.at_ticks
    elif kind == kinds.CONSULTANT:
        if reporting_lines.keep(partition.reporting, kind, entry, int(row_record.rpartition(AT)[2])) is not None:
            partition.whole = True
    elif partition.shared.keep(kind, entry) is not None:
        partition.whole = True
        for _, subject in partition.visit(partition.keys()):
            subject.stale, subject.calm = True, processor.at_ticks


def measures(processor: Processor, partition: PartitionState) -> Iterator[Any]:
    """Measure events of the subjects that changed since the last call, ready for `codec.encode`."""
    if processor.at_ticks:
        measured, partition.ticked = partition.ticked, {}
        yield from measured.values()
        return
    changed, partition.changed = partition.changed, {}
    if processor.reports:
        partition.untold.update(changed)
    for key in changed:
        event = look_up(processor, partition, key)
        if event is not None:
            yield event


def pass_over(processor: Processor, partition: PartitionState) -> None:
    """Let what changed go by, as if its measures had been taken: nothing else follows from them."""
    partition.ticked = {}
    if processor.at_ticks:
        return
    changed, partition.changed = partition.changed, {}
    if processor.reports:
        partition.untold.update(changed)


def look_up(processor: Processor, partition: PartitionState, key: str) -> Any | None:
    """The measure event of one subject as it stands; nothing for one that is not measured. What changed stays to be taken."""
    subject = partition.subjects.get(key) or partition.shelf.look(key)
    if subject is None or subject.as_of is None:
        return None
    if subject.stale:
        processor.settle(partition, subject)
    current = processor.measure(subject, Stamp.of(partition, subject))
    if current is None:
        return None
    if partition.marks(subject)[-1][0] >= days.midnight(subject.as_of + 2, subject.zone):
        current["reasons"] = sorted({*current["reasons"], FROM_THE_FUTURE})
    return {"meta": measure_meta(processor, partition, subject, current), "current": current}


def _foreign(processor: Processor, kind: str, error: KeyError) -> Exception:
    """What it means that a processor missed a key: a kind that it does not know, or else a defect as it stands."""
    if error.args != (kind,):
        return error
    return Fatal(f"{processor.name} takes no {kind}", remedy="bring the routing and the processors to the same release")


def _tick(processor: Processor, partition: PartitionState, entry: Any) -> Step:
    at: int = entry["at"]
    if partition.tick is not None and at <= partition.tick:
        return NOTHING
    out = Step([Row(EVERYBODY, kinds.LAST_TICK, kinds.TICK, entry)], [], [])
    begins = partition.advance(at)
    asked = processor.at_ticks or processor.reports
    moved = partition.moved() if asked else {}
    for key, subject in partition.visit(sorted(partition.keys() if begins else moved)):
        turned = subject.turned
        if partition.place(subject):
            partition.changed[key] = moved[key] = None
        if key in moved or (asked and subject.turned != turned):
            _judge(processor, partition, subject, out, ticked=True)
        if processor.reports and key in moved and subject.as_of is not None:
            out.contributions.extend(processor.report(partition, subject))
    if processor.at_ticks:
        # taken now: what comes later in the batch is not part of this moment
        for key in sorted(moved):
            event = look_up(processor, partition, key)
            if event is not None:  # what an earlier tick of the batch measured stays said
                partition.ticked[key] = event
        partition.changed = {}
    return out


def _everybody(processor: Processor, partition: PartitionState, kind: str, entry: Any) -> Step:
    if kind == kinds.CONSULTANT:
        row = reporting_lines.keep(partition.reporting, kind, entry)
        partition.whole = (
            partition.whole or row is not None
        )  # whose manager it is, nobody asks: all tell their units anew
        return NOTHING if row is None else Step([row], [], [])
    row = partition.shared.keep(kind, entry)
    if row is None:
        return NOTHING
    out = Step([row], [], [])
    for key, subject in partition.visit(sorted(partition.keys())):
        subject.stale, subject.calm = True, processor.at_ticks
        partition.changed[key] = None
        if not processor.at_ticks:
            _judge(processor, partition, subject, out, recorded_at=entry["recorded_at"])
    return out


def _judge(
    processor: Processor,
    partition: PartitionState,
    subject: Any,
    out: Step,
    *,
    recorded_at: int | None = None,
    ticked: bool = False,
) -> None:
    """Judge a subject and add what follows; nothing to judge without a day."""
    subject.calm = True
    if subject.as_of is None:
        return
    if subject.stale:
        processor.settle(partition, subject)
    crossings = processor.judge(subject, ticked=ticked)
    if not subject.memory.changed:
        return
    subject.memory.changed = False
    lines = {"subject": subject.key, "lines": subject.memory.dump()}
    out.rows.append(Row(subject.key, ALERTS, kinds.ALERT_ROW, lines))
    out.alerts.extend(alert_events(processor, partition, subject, crossings, recorded_at))
