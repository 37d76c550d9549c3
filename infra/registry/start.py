"""At the start of a process: the numbers that the configured registry gave the releases.

Rules
- The registry is asked at every start, and what it says is remembered in a file. While it is down, a process that finds all its numbers
  there goes on with them; one that does not ends at once, since it could neither write nor read.
- A registry that gives other numbers than it gave before was set up anew: records on topics carry the old ones. That needs a person.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import structlog

from infra.errors import Fatal, Transient
from infra.registry.answers import Answers
from infra.registry.confluent import ConfluentRegistry
from infra.registry.contract import Registry
from infra.settings import RegistrySettings
from schemas import numbering, released
from schemas.numbering import Given
from schemas.released import Index
from schemas.subjects import subjects, text_of

log = structlog.get_logger()


def install(settings: RegistrySettings) -> None:
    """Let the codec use the numbers of the configured registry; without one, it has the released numbers already.

    Raises `Fatal` when they cannot be had: see `resolve`.
    """
    if settings.url is not None:
        numbering.use(resolve(settings, released.index()))


def resolve(settings: RegistrySettings, index: Index) -> Given:
    """The numbers of the configured registry. Raises `Fatal` for a registry that lacks a release, or is down and was never met."""
    file = remembered_in(settings)
    remembered = _read(file)
    enough = _places(index).keys() <= remembered.keys()
    # who can go on without an answer does not wait long for one
    registry = ConfluentRegistry(settings.model_copy(update={"patience": 0.0}) if enough else settings)
    given = remembered
    try:
        given = ask(registry, index)
    except Transient as error:
        if not enough:
            raise Fatal(
                f"{error}; and this machine does not know the numbers it gave to the schemas",
                remedy=f"start the registry, or correct BURNLINE_REGISTRY__URL; afterwards numbers are kept in {file}",
            ) from error
        log.warning("registry_down", error=str(error), consequence="its numbers are taken from memory", file=str(file))
    else:
        _same_as_before(registry, index, remembered, given, file)
        _write(file, {**remembered, **given})
    return Given(index, given, Answers(ConfluentRegistry(settings).schema), f"the schema registry {registry.name}")


def ask(registry: Registry, index: Index) -> dict[int, int]:
    """The registry's number of each release, by released number. Raises `Fatal` when it lacks one."""
    places = _places(index)
    found = {
        wire_id: registry.find(subject, text_of(index.by_id[wire_id].schema)) for wire_id, subject in places.items()
    }
    lacking = [index.by_id[wire_id] for wire_id, registered in found.items() if registered is None]
    if lacking:
        raise Fatal(
            f"{registry.name} lacks {len(lacking)} of {len(found)} schemas, {lacking[0]} among them",
            remedy="run `burnline schemas publish`",
        )
    return {wire_id: registered.number for wire_id, registered in found.items() if registered is not None}


def _places(index: Index) -> dict[int, str]:
    """A subject that each release stands under, by released number."""
    return {release.wire_id: subject.name for subject in reversed(subjects(index)) for release in subject.releases}


def _same_as_before(
    registry: Registry, index: Index, before: Mapping[int, int], now: Mapping[int, int], file: Path
) -> None:
    for wire_id, number in now.items():
        if before.get(wire_id, number) != number:
            raise Fatal(
                f"{registry.name} gives {index.by_id[wire_id]} the number {number}, and gave it {before[wire_id]} before: it was set up "
                "anew, while records on topics carry the old numbers",
                remedy=f"restore its storage; or, if the topics were made anew as well, delete {file}",
            )


def remembered_in(settings: RegistrySettings) -> Path:
    """The file that keeps what this registry answered; every registry has its own."""
    digest = hashlib.sha256((settings.url or "").encode()).hexdigest()[:16]
    return settings.cache_dir / f"{digest}.json"


def _read(file: Path) -> dict[int, int]:
    """The numbers in a file; none where there is no file, or one that a crash or a person has spoilt."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {int(wire_id): int(number) for wire_id, number in found["numbers"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("registry_memory_unreadable", file=str(file), error=str(error), consequence="the registry is asked")
        return {}


def _write(file: Path, numbers: Mapping[int, int]) -> None:
    """Keep the numbers, whole or not at all. What cannot be kept costs nothing today, so it is only told."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as part:
            json.dump({"numbers": dict(sorted(numbers.items()))}, part)
        os.replace(part.name, file)  # noqa: PTH105  at once: another process may be reading
    except OSError as error:
        log.warning("registry_memory_not_kept", file=str(file), error=str(error))
