"""Makes machine code of the hot path: `make compiled`, which takes a C compiler and a minute; `make pure` takes it away again.

mypyc compiles the modules that a worker spends its time in, as they stand, together with the readers and writers of the records that
are most of the traffic. Each extension lies beside its source and is imported instead of it. Without them Python runs the sources: the
same code with the same results, more slowly. Extensions of other sources than those beside them are refused (`schemas.extensions`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.errors import BurnlineError, Fatal
from schemas import catalogue, extensions
from schemas.compiled.buffered import buffered_text
from schemas.compiled.reading import reader_text
from schemas.compiled.source import AHEAD, fingerprint
from schemas.compiled.writing import writer_text
from schemas.lines import TIME_ENTRY
from schemas.topics import topic
from streams.core import READS

_STATES = "contract kinds history state lines consultant_state project_state dispute_aging client_exposure"
_STEPS = "days publish processor alerts utilization budget_burn step route"
_FIGURES = (
    "availability ratios rates earned_value units consultant_figures project_units project_figures project_quality"
)
_MODULES = (
    *(f"streams/core/{name}.py" for name in f"{_STATES} {_STEPS} {_FIGURES}".split()),
    *(f"streams/core/routes/{name}.py" for name in ("timesheets", "difference")),
    *(f"streams/core/monitors/{name}.py" for name in ("facts", "flaws", "host")),
    *(f"streams/engine/{name}.py" for name in ("batch", "filling", "frames", "gathering", "topology")),
    *(f"streams/rebuild/{name}.py" for name in ("reading", "recompute")),
    *(f"schemas/{name}.py" for name in ("events", "codec", "lines", "compiled/values", "compiled/buffers")),
)
"""A class and those that inherit from it go together: Python's own classes cannot inherit from compiled ones."""
_FREQUENT = (TIME_ENTRY, "burnline.internal.FactEntry")
_HEAD = """\
from __future__ import annotations
import datetime
from decimal import Decimal
from math import inf, nan
from typing import Any, Final
from librt.strings import BytesWriter
from mypy_extensions import i64
from schemas.compiled.buffers import put_bytes, put_flag, put_int, put_long
from schemas.compiled.values import *
from schemas.compiled.writing import Add
from schemas.lines import TimeLine, line_of
"""
_SETUP = """\
import sys
from mypyc.build import mypycify
from setuptools import setup
folder, *modules = sys.argv[1:]
setup(
    name="burnline", packages=[], py_modules=[],
    script_args=["build_ext", "--inplace", "--build-temp", folder, "--build-lib", folder],
    ext_modules=mypycify(
        ["--config-file=pyproject.toml", *modules], opt_level="2", debug_level="0", group_name="burnline", target_dir=folder
    ),
)
"""


def main() -> int:
    """Compile. Returns the process's exit code."""
    try:
        _compile()
    except BurnlineError as error:
        print(f"{error}\n{error.remedy}", file=sys.stderr)
        return 1
    return 0


def _compile() -> None:
    root = extensions.ROOT
    texts: list[Path] = []
    try:
        for text, made in _texts():
            place = root / AHEAD.replace(".", "/") / f"{fingerprint(text)}.py"
            place.write_text(f"{_HEAD}{made}\n")
            texts.append(place)
        modules = [*_MODULES, *(str(place.relative_to(root)) for place in texts)]
        print(f"compiling {len(modules)} modules of the hot path, which takes about a minute", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="burnline-compiled-") as folder:
            done = subprocess.run(
                [sys.executable, "-c", _SETUP, folder, *modules],
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(root)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        if done.returncode:
            sys.stderr.write(done.stdout)
            raise Fatal(
                "the hot path could not be compiled, as said above",
                remedy="install a C compiler (on Debian: gcc), or do without: everything runs uncompiled, more slowly",
            )
    finally:
        for place in texts:
            place.unlink()
    # a buffered writer is found by the text of the other one, so that its own maker has to be looked at, too
    extensions.note(root / module for module in (*_MODULES, "schemas/compiled/buffered.py"))


def _texts() -> Iterator[tuple[str, str]]:
    """What reads and writes the records that are most of the traffic: the text that it is found by, and the one that is compiled."""
    for record in _FREQUENT:
        schema = catalogue.load(record)
        yield (reader_text(schema, as_written=True),) * 2
        yield writer_text(schema, as_written=True), buffered_text(schema, as_written=True)
    for name, kept in READS.items():
        yield (reader_text(catalogue.load(topic(name).record), as_written=True, kept=kept),) * 2


if __name__ == "__main__":
    sys.exit(main())
