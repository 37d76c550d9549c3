"""What capture tells Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

ROWS = Counter("burnline_capture_rows_read", "Rows read in full from Odoo", ("model", "mode"))
EVENTS = Counter("burnline_capture_events", "Events committed", ("topic", "verb"))
PARKED = Counter("burnline_capture_parked", "Rows and hints parked as dead letters", ("topic",))
HINTS = Counter("burnline_capture_hints", "Hints taken from ops.webhook.v1", ("model",))
COMMIT_SECONDS = Histogram("burnline_capture_commit_seconds", "From beginning a transaction to its end")
ABORTS = Counter("burnline_capture_aborts", "Transactions aborted and tried again")
PASS_SECONDS = Histogram("burnline_capture_pass_seconds", "One pass over one model", ("kind",))
SWEPT_AT = Gauge("burnline_capture_swept_timestamp_seconds", "When ids were last swept", ("model",))
RANGES_APART = Gauge(
    "burnline_capture_ranges_apart", "Ranges of ids in which Odoo and the topic differed at the last sweep", ("model",)
)
DELETIONS_HELD = Gauge(
    "burnline_capture_deletions_held", "Records that are gone in Odoo or hidden, too many to be believed", ("model",)
)
HIDDEN = Counter(
    "burnline_capture_hidden", "Records that are there and were not shown to the user of ODOO_USER", ("model",)
)
LOG_FOLLOWED = Gauge(
    "burnline_capture_log_followed",
    "1 while the log of Odoo's database is followed, 0 while Odoo is polled in its place",
)
LOG_BEGAN_ANEW = Counter(
    "burnline_capture_log_began_anew",
    "Times that the connector had lost its place in the log, so that all was compared",
)
ODOO_UP = Gauge("burnline_capture_odoo_up", "1 while Odoo answers")
