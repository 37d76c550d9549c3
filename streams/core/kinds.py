"""Full names of the entries' schemas, and the names of the rows that are no business record."""

from __future__ import annotations

_ENTRY = "burnline.internal."
TIME = _ENTRY + "TimeEntry"
CONSULTANT = _ENTRY + "ConsultantEntry"
ABSENCE = _ENTRY + "AbsenceEntry"
PROJECT = _ENTRY + "ProjectEntry"
MILESTONE = _ENTRY + "MilestoneEntry"
COST = _ENTRY + "CostEntry"
INVOICE = _ENTRY + "InvoiceEntry"
DISPUTE = _ENTRY + "DisputeEntry"
EXPOSURE = _ENTRY + "ExposureEntry"
FACT = _ENTRY + "FactEntry"
TICK = _ENTRY + "TickEntry"
ALERT_ROW = _ENTRY + "AlertRow"

LAST_TICK = "#tick"
"""The record under which a partition's last tick is kept."""

HISTORIES = frozenset({CONSULTANT, DISPUTE, INVOICE, PROJECT})
"""Kinds whose versions are kept as runs: their rows are named after the record and the run's first version."""
