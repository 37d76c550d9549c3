"""What a change of a topic's setting would lose. Pure."""

from __future__ import annotations

POLICY, COPIES = "cleanup.policy", "min.insync.replicas"
LOWER_LOSES = {
    "retention.ms": "records older than that are deleted",
    "retention.bytes": "the oldest records beyond that size are deleted",
    "delete.retention.ms": "a reader that is away for longer misses what was erased",
    "min.compaction.lag.ms": "former values of a key vanish sooner",
    "max.compaction.lag.ms": "former values of a key vanish sooner",
    "max.message.bytes": "records larger than that are no longer accepted",
    COPIES: "records are acknowledged with fewer copies",
}
"""Settings of which less is worse, and why; -1 is without limit."""


def loss_of(setting: str, before: str | None, after: str) -> str:
    """What a change of a setting loses, as a sentence; empty where it loses nothing."""
    if setting == POLICY:
        added = _policies(after) - _policies(before or "delete")
        if "compact" in added:
            return "compaction deletes all but the last record of each key"
        return "records are deleted by age, and a tombstone no longer erases what it stands for" if added else ""
    loss = LOWER_LOSES.get(setting, "")
    return loss if loss and before is not None and _number(after) < _number(before) else ""


def same(setting: str, found: str | None, wanted: str) -> bool:
    """Whether two values of a setting mean the same: a clean-up policy is a set."""
    if setting == POLICY and found is not None:
        return _policies(found) == _policies(wanted)
    return found == wanted


def _policies(value: str) -> frozenset[str]:
    return frozenset(part.strip() for part in value.split(",") if part.strip())


def _number(value: str) -> float:
    return float("inf") if value == "-1" else float(value)
