"""`python -m burnline.docs` writes every generated file; `--check` writes nothing, and exits with 1 when one is not current."""

from __future__ import annotations

import sys

from burnline.docs.files import differences, generated, write
from burnline.docs.model import ROOT
from schemas.errors import Fatal


def main(arguments: list[str]) -> int:
    """Write, or check, every generated file."""
    try:
        wanted = generated()
    except Fatal as error:
        print(f"error: {error}\nremedy: {error.remedy}", file=sys.stderr)
        return 1
    if "--check" not in arguments:
        write(wanted)
        return 0
    found = differences(wanted)
    for path in found.stale:
        print(f"{path.relative_to(ROOT)} is stale", file=sys.stderr)
    for path in found.left_over:
        print(f"{path.relative_to(ROOT)} is about a topic that is gone", file=sys.stderr)
    if found.stale or found.left_over:
        print("remedy: run `make docs`, and commit what it writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
