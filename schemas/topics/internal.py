"""What Burnline keeps and hands on for itself: it may change with any release, and carries no promise."""

from __future__ import annotations

from schemas.topics.contract import PARTITIONS, PROCESSORS, DataClass, Process, Topic

_P, _C = Process, DataClass

_ROWS = {
    "utilization": ("ConsultantEntry", "AbsenceEntry", "FactEntry", "TimeEntry"),
    "budget-burn": ("ProjectEntry", "MilestoneEntry", "CostEntry", "FactEntry", "TimeEntry"),
    "dispute-aging": ("InvoiceEntry", "DisputeEntry", "AbsenceEntry"),
    "client-exposure": ("ExposureEntry",),
    "monitors": ("FactEntry", "AbsenceEntry"),
}
"""What each processor remembers, next to its last tick and its alerts."""


def _rows(processor: str) -> tuple[str, ...]:
    return tuple(f"burnline.internal.{record}" for record in (*_ROWS[processor], "TickEntry", "AlertRow"))


def _internal(
    name: str,
    record: str,
    key: str,
    *,
    compacted: bool = False,
    partitions: int = PARTITIONS,
    by: str = "streams",
    readers: tuple[str, ...] | None = None,
    data_class: DataClass = _C.PERSONAL,
    rows: tuple[str, ...] = (),
) -> Topic:
    kept = {} if compacted else {"retention.ms": "-1"}
    return Topic(
        name,
        record,
        key,
        _P.OPERATIONS,
        "platform",
        data_class,
        compacted=compacted,
        public=False,
        partitions=partitions,
        publishers=(by,),
        subscribers=(by,) if readers is None else readers,
        extra=kept,
        rows=rows,
    )


INTERNAL: tuple[Topic, ...] = (
    _internal(
        "internal.capture-cursor.v1",
        "burnline.internal.CaptureCursor",
        "model",
        compacted=True,
        partitions=1,
        by="capture",
        data_class=_C.INTERNAL,
        readers=("capture", "operator"),
    ),
    _internal(
        "internal.capture-signal.v1",
        "burnline.internal.CaptureSignal",
        "database",
        partitions=1,
        by="operator",
        data_class=_C.INTERNAL,
        readers=("capture", "operator"),
    ),
    _internal(
        "internal.capture-snapshot.v1",
        "burnline.internal.CaptureSnapshot",
        "snapshot",
        compacted=True,
        partitions=1,
        by="capture",
        data_class=_C.INTERNAL,
        readers=("capture", "operator"),
    ),
    _internal(
        "internal.capture-status.v1",
        "burnline.internal.CaptureStatus",
        "database",
        compacted=True,
        partitions=1,
        by="capture",
        data_class=_C.INTERNAL,
        readers=("capture", "operator"),
    ),
    *(
        _internal(f"internal.{name}-input.v1", "burnline.internal.Frame", "none: the partition is the subject's")
        for name in PROCESSORS
    ),
    *(
        _internal(
            f"internal.{name}-state.v1",
            "rows of burnline.internal",
            "subject and record",
            compacted=True,
            rows=_rows(name),
        )
        for name in PROCESSORS
    ),
)
