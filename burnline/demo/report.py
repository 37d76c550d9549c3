"""What the demo prints at its end: one object for machines, the same as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

from burnline.demo.watch import Watch
from burnline.proof.compare import Verdict


def percentiles(latencies: Sequence[float]) -> dict[str, float | None]:
    """p50 and p99 in milliseconds of latencies in seconds; null where too few were seen to tell."""
    if len(latencies) < 2:
        return {"p50": None, "p99": None}
    cuts = quantiles(latencies, n=100, method="inclusive")
    return {"p50": round(cuts[49] * 1000, 1), "p99": round(cuts[98] * 1000, 1)}


def report(
    *,
    broker: Mapping[str, str],
    odoo: Mapping[str, str],
    watch: Watch,
    latencies: Sequence[float],
    proof: Mapping[str, Verdict],
) -> dict[str, Any]:
    """The object that `--json` prints."""
    return {
        "broker": dict(broker),
        "odoo": dict(odoo),
        "events": {topic: watch.events[topic] for topic in sorted(watch.events)},
        "measures": {name: len(subjects) for name, subjects in watch.measures.items()},
        "alerts": {rule: count for rule, count in sorted(watch.alerts.items()) if count},
        "actions": {
            "succeeded": watch.actions["succeeded"],
            "failed": watch.actions["abandoned"] + watch.actions["uncertain"],  # `failed` is one attempt of several
        },
        "dead_letters": watch.dead_letters,
        "latency_ms": percentiles(latencies),
        "proof": {name: verdict.summary() for name, verdict in proof.items()},
    }


def said(latency: Mapping[str, float | None]) -> str:
    """Percentiles in words."""
    if latency["p50"] is None:
        return "not known: nothing changed in Odoo meanwhile, or too little to tell"
    return f"p50 {latency['p50']} ms, p99 {latency['p99']} ms"


def show(console: Console, found: Mapping[str, Any], proof: Mapping[str, Verdict]) -> None:
    """The same for people, with the first differences if there are any."""
    facts = Table(show_header=False, title="the demo in figures", title_justify="left")
    facts.add_row("broker", f"{found['broker']['kind']} Apache Kafka {found['broker']['version']}")
    facts.add_row("odoo", f"{found['odoo']['kind']} {found['odoo']['version']}")
    facts.add_row("events", f"{sum(found['events'].values()):,} on {len(found['events'])} topics")
    facts.add_row("alerts raised", ", ".join(f"{count} {rule}" for rule, count in found["alerts"].items()) or "none")
    facts.add_row("actions", f"{found['actions']['succeeded']} succeeded, {found['actions']['failed']} failed")
    facts.add_row("dead letters", str(found["dead_letters"]))
    facts.add_row("commit to measure", said(found["latency_ms"]))
    console.print(facts)
    table = Table(
        "measure",
        "compared",
        "different",
        title="the proof: every measure again, by SQL from the source",
        title_justify="left",
    )
    for name, verdict in proof.items():
        colour = "red" if verdict.different else "green"
        table.add_row(name.replace("_", " "), str(verdict.compared), f"[{colour}]{verdict.different}[/]")
    console.print(table)
    for name, verdict in proof.items():
        for one in verdict.differences[:10]:
            console.print(
                f"  {name} {one.subject}: {one.field} is {one.measured}, SQL says {one.proven}", highlight=False
            )
