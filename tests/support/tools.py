"""Tools of other languages and other environments, installed once for each state of their lock file, and kept in the user's cache.

A tool that cannot be had here (its runtime is missing, or its registry does not answer) skips the test with the reason; a lock file that does not
install is a failure.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import platformdirs
import pytest

PATIENCE = 240
"""Seconds for one installation."""
UNREACHABLE = re.compile(
    "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|error sending request|dns error|Connection refused|timed out",
    re.IGNORECASE,
)


def installed(name: str, files: list[Path], *commands: list[str]) -> Path:
    """A folder with these files in it, in which these commands have run to their end; the same for the same files."""
    folder = folder_of(name, files)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers and other runs wait for the one that installs
        if not (folder / ".complete").exists():
            for file in files:
                shutil.copy(file, folder)
            for command in commands:
                _run(name, command, folder)
            (folder / ".complete").touch()
    return folder


def folder_of(name: str, files: list[Path]) -> Path:
    """Where a tool of these files is installed; it is there, once `.complete` is."""
    content = b"\0".join(file.name.encode() + b"\0" + file.read_bytes() for file in sorted(files))
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Path(platformdirs.user_cache_dir("burnline")) / "tools" / f"{name}-{digest}"


def _run(name: str, command: list[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{name} needs {Path(command[0]).name}, which is not here")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    silence = UNREACHABLE.search(done.stderr)
    if done.returncode and silence:
        pytest.skip(f"{name} is not installed, and its registry does not answer: {silence.group()}")
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
