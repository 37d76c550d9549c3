"""The audit: whether what is on the topics equals what is in Odoo, record by record and sum by sum, and what mends a difference.

- `shelf` holds what the topics say, on disk: its memory does not grow with the records.
- `ledger` asks Odoo for counts and sums, by period and by ranges of ids, and compares them with the shelf's.
- `compare` reads the rows where they differ, or all of them, and finds each difference.
- `metrics` tells Prometheus what differs, by model and month.
- `repair` publishes the corrections, marked as such, as the capture of the database.
"""

from producers.audit.ledger import Line
from producers.audit.metrics import Figures
from producers.audit.run import Difference, Outcome, Request, run

__all__ = ["Difference", "Figures", "Line", "Outcome", "Request", "run"]
