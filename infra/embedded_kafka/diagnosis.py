"""From the broker's log to one sentence and a remedy: pure.

The table is searched from the top; the first row whose words appear decides. What no row knows is told in the words of the deepest
cause in the log, without its stack.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

OTHER_BROKER = "or set BURNLINE_KAFKA__BOOTSTRAP_SERVERS to use another broker"


class Failure(StrEnum):
    """Why a broker did not start."""

    PORT = "port"
    DISK = "disk"
    ACCESS = "access"
    LOCKED = "locked"
    CORRUPT = "corrupt"
    MEMORY = "memory"
    CACHE = "cache"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One sentence that says what failed and why, and one that says what to do."""

    failure: Failure
    message: str
    remedy: str


_WORDS: tuple[tuple[Failure, tuple[str, ...]], ...] = (
    (Failure.PORT, ("Address already in use", "Socket server failed to bind")),
    (Failure.DISK, ("No space left on device", "Disk quota exceeded")),
    (Failure.LOCKED, ("Failed to acquire lock on file .lock",)),
    (Failure.ACCESS, ("Permission denied", "AccessDeniedException", "Read-only file system")),
    (Failure.CACHE, ("Unable to use AOT cache",)),
    (
        Failure.MEMORY,
        ("OutOfMemoryError", "Could not create the Java Virtual Machine", "initialization of VM", "maximum heap size"),
    ),
    (
        Failure.CORRUPT,
        (
            "meta.properties",
            "node ID not found",
            "cluster.id",
            "node.id",
            "directory.id",
            "none of the specified log dirs",
            "CorruptRecordException",
            "KafkaStorageException",
            "Error while reading checkpoint file",
            "Malformed line in checkpoint",
            "Invalid magic",
            "Found invalid messages",
            "InconsistentVoter",
            "is corrupt",
            "quorum-state",
            "__cluster_metadata",
        ),
    ),
)

_LEVEL = re.compile(r"^\S+ (?P<level>[A-Z]+) (?P<text>.*?)(?: \([\w.$]+\))?$")
_TROUBLE = re.compile(r"ERROR|FATAL|Exception|Error|WARN|Invalid|Could not")
_NO_JAVA = "Error occurred during initialization of VM"
_FRAME = re.compile(r"^\s+(at |\.\.\. )|^WARNING: ")
_CLASS = re.compile(
    r"^(?:Caused by: |Terminating due to |Exception in thread \"[^\"]*\" )?(?:[a-z][\w$]*\.)+[\w$]*(?:Exception|Error)(?::\s*|$)"
)


def diagnose(lines: Sequence[str], *, data_dir: Path, port: int, heap: str, log_file: Path) -> Diagnosis:
    """Why the broker that wrote these lines died. `lines` are its own since this start, stack traces included."""
    # Java tells why it could not begin in the line after it says that it could not.
    before = ("", *lines)
    trouble = [
        line
        for line, previous in zip(lines, before, strict=False)
        if previous == _NO_JAVA or (not _FRAME.match(line) and _TROUBLE.search(line))
    ]
    failure = next((kind for kind, words in _WORDS if any(word in line for line in trouble for word in words)), None)
    because = cause(trouble)
    match failure:
        case Failure.PORT:
            return port_in_use(port)
        case Failure.DISK:
            return no_space(data_dir)
        case Failure.ACCESS:
            return no_access(data_dir, because)
        case Failure.LOCKED:
            message = f"another Kafka is using the data folder {data_dir}"
            remedy = "stop it, or set BURNLINE_BROKER__DATA_DIR to another folder"
        case Failure.MEMORY:
            message = f"Java could not get the broker's memory (heap {heap}): {because}"
            remedy = "set BURNLINE_BROKER__HEAP, for instance to 512m, and see how much memory the machine has free"
        case Failure.CORRUPT:
            return corrupt(data_dir, because)
        case _:
            failure = failure or Failure.UNKNOWN
            message = f"the embedded broker died at start: {because or 'it left no word'}"
            remedy = f"see {log_file}, {OTHER_BROKER}"
    return Diagnosis(failure, message, remedy)


def port_in_use(port: int) -> Diagnosis:
    """Another program listens where the broker should."""
    return Diagnosis(
        Failure.PORT,
        f"port {port} of 127.0.0.1 is in use by another program",
        f"stop that program, set BURNLINE_BROKER__PORT to a free port (0 picks one), {OTHER_BROKER}",
    )


def no_space(folder: Path, free: int | None = None, need: int | None = None) -> Diagnosis:
    """The disk is full, or would soon be. `free` and `need` in bytes."""
    known = "" if free is None or need is None else f": {free // 2**20} MB free, {need // 2**20} MB needed"
    return Diagnosis(
        Failure.DISK,
        f"no space on the disk of {folder}{known}",
        "free some space, or set BURNLINE_BROKER__DATA_DIR and BURNLINE_BROKER__CACHE_DIR to folders on another disk",
    )


def no_access(folder: Path, because: str) -> Diagnosis:
    """The folder cannot be written."""
    return Diagnosis(
        Failure.ACCESS,
        f"cannot write in {folder}: {because}",
        "give yourself write permission there, "
        "or set BURNLINE_BROKER__DATA_DIR and BURNLINE_BROKER__CACHE_DIR to other folders",
    )


def corrupt(data_dir: Path, because: str) -> Diagnosis:
    """The data folder is not what a broker left behind."""
    return Diagnosis(
        Failure.CORRUPT,
        f"the broker's data folder {data_dir} is damaged: {because}",
        f"restore it from a copy; if its events can be captured anew, move {data_dir} away and start again",
    )


def cause(lines: Sequence[str]) -> str:
    """The deepest cause that these lines name, as words: no class names, no stack, no time stamps."""
    caused = [line for line in lines if line.startswith("Caused by: ")]
    thrown = [line for line in lines if _CLASS.match(line)]
    levels = [found for line in lines if (found := _LEVEL.match(line))]
    errors = [found["text"] for found in levels if found["level"] in {"ERROR", "FATAL"}]
    for candidate in (*reversed(caused), *reversed(thrown), *errors, *reversed(lines)):
        words = _CLASS.sub("", candidate).strip()
        while (shorter := _CLASS.sub("", words).strip()) != words:
            words = shorter
        if words:
            return words.partition(". ")[0].rstrip(".")
    return ""
