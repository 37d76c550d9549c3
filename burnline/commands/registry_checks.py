"""What `burnline doctor` asks of a schema registry: every release there, held to what it should be, and records numbered by it."""

from __future__ import annotations

from burnline import environment
from burnline.commands.finding import Finding
from infra.errors import PoisonMessage
from infra.kafka.reader import last_records
from infra.registry import numbered_otherwise, open_registry, survey
from infra.settings import Settings
from schemas import codec, released
from schemas.topics import topic

CURSORS = topic("internal.capture-cursor.v1")


def registry(settings: Settings) -> list[Finding]:
    """Whether the registry answers, has every version of every subject, and holds new ones to the right compatibility."""
    registry = open_registry(settings.registry)
    lines = survey(registry, released.index())
    changes = [f"{line.subject} {change}" for line in lines for change in line.changes]
    if changes:
        detail = f"{registry.name}: {len(changes)} differences, {changes[0]} among them"
        return [Finding("registry", "failed", detail, "run `burnline schemas publish`")]
    detail = f"{registry.name}: all {len(lines)} versions are there, each subject as compatible as it should be"
    if others := numbered_otherwise(lines):
        detail += f"; {len(others)} have other ids there than they were released with"
    return [Finding("registry", "ok", detail)]


def records(settings: Settings) -> list[Finding]:
    """Whether records carry the numbers that this program would read them by; the capture's cursors are the first to be written."""
    environment.use_registry(settings)
    where = settings.registry.url or "the bundled registry"
    values = [
        record.value() for record in last_records(settings.kafka, CURSORS.name, range(CURSORS.partitions)).values()
    ]
    try:
        strange = [
            name for value in values if value is not None and (name := codec.schema_name(value)) != CURSORS.record
        ]
    except PoisonMessage as error:
        strange = [str(error)]
    if strange:
        detail = f"{CURSORS.name} was not written with the numbers of {where}: {strange[0]}"
        remedy = "set BURNLINE_REGISTRY__URL to the registry that was used when it was written, or unset it if there was none"
        return [Finding("records", "failed", detail, remedy)]
    return [Finding("records", "ok", f"carry the numbers of {where}" if values else "there are none yet")]
