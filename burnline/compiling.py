"""Makes machine code of the hot path: `python -m burnline.compiling` (`make compiled`), and `--remove` takes it away again.

mypyc compiles the modules that a worker spends its time in, as they stand, together with the readers and writers of the records that
are most of the traffic. Each extension lies beside its source and is imported instead of it; without a compiler, or after `--remove`,
Python runs the sources: the same code, the same results, more slowly. `infra.compiled` refuses extensions of other sources.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra import compiled
from infra.errors import Fatal
from schemas import catalogue
from schemas.compiled.reading import reader_text
from schemas.compiled.source import AHEAD, fingerprint
from schemas.compiled.writing import writer_text
from schemas.topics import topic
from streams.core import READS

_STATES = "contract kinds history state lines consultant_state project_state dispute_aging client_exposure"
_STEPS = "days publish processor alerts utilization budget_burn step route"
_MODULES = (
    *(f"streams/core/{name}.py" for name in f"{_STATES} {_STEPS}".split()),
    *(f"streams/core/routes/{name}.py" for name in ("timesheets", "difference")),
    *(f"streams/core/monitors/{name}.py" for name in ("facts", "host")),
    *(f"streams/engine/{name}.py" for name in ("batch", "frames", "topology")),
    *(f"schemas/{name}.py" for name in ("events", "codec", "lines", "compiled/values")),
)
_HEAD = """\
from __future__ import annotations
import datetime
from decimal import Decimal
from math import inf, nan
from typing import Any, Final
from mypy_extensions import i64
from schemas.compiled.values import *
from schemas.lines import TimeLine, line_of
from schemas.compiled.writing import Add
"""
_SETUP = """\
import sys
from mypyc.build import mypycify
from setuptools import setup
setup(
    name="burnline", packages=[], py_modules=[], script_args=["build_ext", "--inplace", "--build-temp", sys.argv[1], "--build-lib", sys.argv[1]],
    ext_modules=mypycify(["--config-file=pyproject.toml", *sys.argv[2:]], opt_level="2", debug_level="0", group_name="burnline", target_dir=sys.argv[1]),
)
"""


def _texts() -> Iterator[str]:
    """The texts of what reads and writes the records that are most of the traffic."""
    # imported here: where extensions are stale, nothing of this can be, and they are taken away first

    for record in (TIME_ENTRY, "burnline.internal.FactEntry"):
        yield reader_text(catalogue.load(record), as_written=True)
        yield writer_text(catalogue.load(record), as_written=True)
    for name, kept in READS.items():
        yield reader_text(catalogue.load(topic(name).record), as_written=True, kept=kept)


def main() -> None:
    """Compile, or remove what was compiled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--remove", action="store_true", help="run the sources again")
    compiled.remove()
    if not parser.parse_args().remove:
        _compile()


def _compile() -> None:

    root = compiled.ROOT
    made: list[Path] = []
    try:
        for text in _texts():
            place = root / AHEAD.replace(".", "/") / f"{fingerprint(text)}.py"
            place.write_text(_HEAD + text + "\n")
            made.append(place)
        modules = [*_MODULES, *(str(place.relative_to(root)) for place in made)]
        print(f"compiling {len(modules)} modules, which takes about a minute", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="burnline-compiled-") as folder:
            done = subprocess.run(
                [sys.executable, "-c", _SETUP, folder, *modules],
                cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            sys.stderr.write(done.stdout + done.stderr)
            raise Fatal(
                "the hot path could not be compiled", remedy="see above; without it everything runs, more slowly"
            )
    finally:
        for place in made:
            place.unlink()
    compiled.note(root / module for module in _MODULES)


if __name__ == "__main__":
    main()
