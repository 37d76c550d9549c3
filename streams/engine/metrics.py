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
BATCH_AGE = Histogram(
    "burnline_streams_batch_age_seconds",
    "Age of a batch's first record when work on it began.",
    buckets=(*_SECONDS, 60, 600),
)
FETCH_SECONDS = Histogram("burnline_streams_fetch_seconds", "Waiting for and gathering one batch.", buckets=_SECONDS)
DECODE_SECONDS = Histogram("burnline_streams_decode_seconds", "Decoding one batch.", buckets=_SECONDS)
STEP_SECONDS = Histogram("burnline_streams_step_seconds", "Routing and stepping one batch.", buckets=_SECONDS)
MEASURE_SECONDS = Histogram("burnline_streams_measure_seconds", "Measuring and encoding one batch.", buckets=_SECONDS)
COMMIT_SECONDS = Histogram("burnline_streams_commit_seconds", "Committing one batch.", buckets=_SECONDS)
RESTORED_ROWS = Counter("burnline_streams_restored_rows_total", "Rows read to rebuild states.")
RESTORING_ROWS = Gauge(
    "burnline_streams_restoring_rows", "Rows still to be read for the states that are being restored."
)
STANDBYS = Gauge("burnline_streams_standbys", "States of other workers that are followed.")
STANDBY_BEHIND = Gauge(
    "burnline_streams_standby_behind_rows", "Rows by which the followed states are behind their topics."
)
HELD = Gauge("burnline_streams_state_bytes", "Memory that the subjects of states take, about.")
PUT_AWAY = Gauge("burnline_streams_put_away_subjects", "Subjects that are put away on the disk.")
PUT_AWAY_BYTES = Gauge("burnline_streams_put_away_bytes", "Bytes on the disk that subjects take which are put away.")
FETCHED = Counter("burnline_streams_fetched_subjects_total", "Subjects that came back from the disk.")
ABORTED = Counter("burnline_streams_aborted_transactions_total", "Batches whose transaction failed.")
READY = Gauge("burnline_streams_ready", "1 once every state of this worker is restored.")
STANDS = Gauge(
    "burnline_streams_stands_seconds", "For how long there has been something to do and nothing was committed."
)
STOPPED = Gauge(
    "burnline_streams_stopped_partitions", "1 for a partition that a defect holds up.", ["topic", "partition"]
)
PARTITIONS = Gauge("burnline_streams_partitions", "Input partitions of this worker.", ["state"])
LAST_COMMIT = Gauge("burnline_streams_last_commit_timestamp_seconds", "When the last batch was committed.")
