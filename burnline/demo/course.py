"""The demo's course: set the stage, let the firm work in view, prove every measure, report."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.live import Live

from burnline.demo import latency, report
from burnline.demo.helpdesk import Helpdesk
from burnline.demo.lag import LagWatch
from burnline.demo.stage import Stage, set_up
from burnline.demo.view import Rates, render
from burnline.proof import measured, rpc, sources
from burnline.proof.compare import Verdict
from infra import logs
from infra.settings import load_settings

SETTLE_SECONDS = 90.0


def run(*, seconds: int, rate: float, as_json: bool) -> bool:
    """Run the demo for so many seconds of the firm's work, print what was found, and say whether every measure was proved."""
    settings = load_settings()
    logs.configure("error")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True)
    with _telling(console, quiet=as_json) as progress, set_up(settings, rate=rate, progress=progress) as stage:
        progress("")
        _live(stage, seconds, console, quiet=as_json)
        progress("the last changes, and the proof")
        proof = _proof(stage)
        arrivals = list(stage.watch.arrivals)
        since = arrivals[0].measured_at if arrivals else 0.0  # from then on everything runs
        latencies = (
            latency.from_commits(arrivals, stage.firm.data, since=since)
            if stage.firm
            else latency.from_stamps(arrivals, since=since)
        )
        found = report.report(
            broker={"kind": stage.broker.kind, "version": stage.broker.version},
            odoo={"kind": "embedded" if stage.firm else "configured", "version": _version(stage)},
            watch=stage.watch,
            latencies=latencies,
            proof=proof,
        )
        progress("")
    if as_json:
        typer.echo(json.dumps(found))
    else:
        report.show(Console(), found, proof)
    return not any(verdict.different for verdict in proof.values())


@contextmanager
def _telling(console: Console, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Progress on standard error: a spinner and what is being waited for."""
    with console.status("starting") as status:
        if quiet and not console.is_terminal:
            status.stop()

        def tell(step: str) -> None:
            if step:
                status.update(f"preparing {step}")
                status.start()
            else:
                status.stop()

        yield (lambda step: None if quiet and not console.is_terminal else tell(step))


def _live(stage: Stage, seconds: int, console: Console, *, quiet: bool) -> None:
    """Let the firm work, the helpdesk call, and show what happens."""
    helpdesk = None
    if stage.firm:
        url = f"{stage.webhooks_url}/webhooks/helpdesk"
        helpdesk = Helpdesk(url, stage.helpdesk_secret, firm=stage.firm.data, book=stage.folder / "helpdesk.json")
        helpdesk.start()
    end, rates = time.monotonic() + seconds, Rates()
    title = "Burnline: {left:.0f} s of work left"
    try:
        with LagWatch(stage.settings) as lag, Live(console=console, refresh_per_second=4, transient=True) as live:
            while (left := end - time.monotonic()) > 0:
                rates.look(time.monotonic(), stage.watch.events)
                if not quiet:
                    live.update(render(title.format(left=left), stage.watch, rates, lag.by_group))
                time.sleep(0.25)
    finally:
        if helpdesk:
            helpdesk.stop()


def _proof(stage: Stage) -> dict[str, Verdict]:
    """The verdicts once nothing differs any more, or those that stand when the time to settle is over."""
    if stage.firm:
        stage.firm.pause()
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = prove_once(stage)
        if time.monotonic() > deadline or not any(verdict.different for verdict in found.values()):
            return found
        time.sleep(1.0)


def prove_once(stage: Stage) -> dict[str, Verdict]:
    """Compare what subscribers can read now with what SQL says now."""
    measures = measured.latest(stage.settings.kafka, tenant=stage.odoo.db or "")
    if stage.firm:
        book_file = stage.folder / "helpdesk.json"
        book = json.loads(book_file.read_text(encoding="utf-8")) if book_file.is_file() else {}
        return sources.prove(sources.sqlite_file(stage.firm.data), firm_fields=True, measures=measures, book=book)
    from infra.odoo.client import connect

    client = connect(stage.odoo)
    return sources.prove(rpc.over_rpc(client), firm_fields=rpc.firm_fields(client), measures=measures)


def _version(stage: Stage) -> str:
    from infra.odoo.client import connect

    return connect(stage.odoo).version()
