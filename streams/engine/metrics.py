"""Figures of the engine for Prometheus. Throughput belongs here, decisions to the log."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

BATCH_RECORDS = Histogram(
    "burnline_streams_batch_records", "Records in a batch.", buckets=(1, 10, 50, 100, 500, 1000, 2000, 5000, 20000)
)
RECORDS = Counter("burnline_streams_records_total", "Records taken from source and input topics.")
ENTRIES = Counter("burnline_streams_entries_total", "Entries stepped through processors.")
ROWS = Counter("burnline_streams_rows_total", "Rows written to state topics.")
EVENTS = Counter("burnline_streams_events_total", "Measures, alerts and dead letters published.")
DEAD_LETTERS = Counter("burnline_streams_dead_letters_total", "Records parked as dead letters.")
WORK_SECONDS = Histogram(
    "burnline_streams_work_seconds", "Decoding, stepping and encoding one batch.", buckets=_SECONDS
)
COMMIT_SECONDS = Histogram("burnline_streams_commit_seconds", "Committing one batch.", buckets=_SECONDS)
RESTORED_ROWS = Counter("burnline_streams_restored_rows_total", "Rows read to rebuild states.")
PARTITIONS = Gauge("burnline_streams_partitions", "Input partitions of this worker.", ["state"])
LAST_COMMIT = Gauge("burnline_streams_last_commit_timestamp_seconds", "When the last batch was committed.")
