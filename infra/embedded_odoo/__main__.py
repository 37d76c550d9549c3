"""`python -m infra.embedded_odoo`: the server and the firm as a process of their own.

Prints one line of JSON when ready (`url`, `db`, `user`, `password`) and ends on SIGTERM, on SIGINT, or, with
`--lifeline`, when its standard input closes.
"""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from infra.embedded_odoo.firm import Firm
from infra.embedded_odoo.handle import EmbeddedOdoo
from infra.errors import Fatal


def main() -> int:
    """Serve until told to end; 1 when it cannot start, or when the firm failed."""
    options = _options().parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        odoo = EmbeddedOdoo(options.data, options.port, webhook=options.webhook)
        try:
            firm = None if options.empty else Firm(odoo.database, options.seed, options.rate, options.history_days)
            if firm:
                firm.prepare()
                odoo.control(firm.controls())
        except ValueError as error:
            raise Fatal(f"The firm cannot start: {error}.", remedy="Correct the option.") from error
    except Fatal as error:
        sys.stderr.write(f"{error}\n{error.remedy}\n")
        return 1
    if options.lifeline:
        threading.Thread(target=_until_closed, args=(ended,), daemon=True).start()
    with odoo:
        if firm:
            firm.start(when_over=ended.set)
        ready = {"url": odoo.url, "db": odoo.db, "user": odoo.user, "password": odoo.password}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        ended.wait()
        if firm:
            firm.stop()
    return 1 if firm and firm.status({})["failure"] else 0


def _until_closed(ended: threading.Event) -> None:
    # Not through sys.stdin: its lock, held by a waiting thread, would abort the interpreter's shutdown.
    while os.read(0, 4096):
        pass
    ended.set()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.embedded_odoo",
        description=__doc__,
        epilog="Example: python -m infra.embedded_odoo --data firm.db --port 8070 --rate 20",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="SQLite file; made when missing")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=7, help="another number is another firm")
    parser.add_argument("--rate", type=float, default=5.0, help="changes per second, 0 to 500")
    parser.add_argument("--history-days", type=int, default=182, help="days of history of a new firm")
    parser.add_argument("--webhook", default="", metavar="URL", help="where hints are posted after each commit")
    parser.add_argument("--empty", action="store_true", help="no firm: company and administrator only")
    parser.add_argument("--lifeline", action="store_true", help="end when standard input closes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
