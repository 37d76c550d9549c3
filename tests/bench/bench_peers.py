"""Our engine beside Kafka Streams and quixstreams on the same lines of the same broker: running totals, CPU seconds of each process per million lines.

    python -m tests.bench.bench_peers [--lines N] [--json]

The peers are built and run from `../shared/bench`, where that is there, one of them with Java and Maven, the other in a virtual environment
of its own; elsewhere `skipped` says why. Whoever wins: the totals of every program are compared with those of the lines, and a wrong one has no figure.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
import psutil
from confluent_kafka import KafkaException, TopicPartition

from infra import logs
from infra.embedded_kafka import EmbeddedKafka
from infra.kafka import topics
from infra.kafka.clients import consumer
from infra.kafka.reader import end_offsets, read_to_end
from infra.settings import KafkaSettings
from schemas.compiled import compile_reader
from tests.bench import totals

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT.parent / "shared" / "bench"
PEER = {"conflated": ("at_least_once", str(10 << 20)), "each": ("exactly_once_v2", "0")}
PATIENCE = 600.0


QUIX = ("quixstreams==3.28.0", "psutil", "fastavro")


def missing() -> str | None:
    """Why Kafka Streams cannot be run here."""
    if not (PEERS / "kstreams" / "pom.xml").exists():
        return "there is no ../shared/bench"
    return next((f"{tool} is not installed" for tool in ("java", "mvn") if shutil.which(tool) is None), None)


def built() -> Path:
    """The peer's classes, built once for each version of its sources, outside of them."""
    sources = sorted(file for file in (PEERS / "kstreams").rglob("*") if file.suffix in {".java", ".xml"})
    newest = max(int(file.stat().st_mtime) for file in sources)
    folder = Path(platformdirs.user_cache_dir("burnline")) / "bench" / f"kstreams-{newest}"
    if not (folder / "target" / "libs").exists():
        shutil.copytree(PEERS / "kstreams", folder, dirs_exist_ok=True)
        goals = ["package", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=target/libs"]
        subprocess.run(["mvn", "-q", "-B", *goals], cwd=folder, check=True, stdout=sys.stderr)
    return folder


def fill(bootstrap: str, lines: int) -> dict[int, bytes]:
    """Write the lines; the totals that every program must end with, by project."""
    kafka = KafkaSettings(bootstrap_servers=bootstrap)
    command = [sys.executable, "kstreams/produce.py", str(lines), bootstrap]
    subprocess.run(command, cwd=PEERS, check=True, stdout=sys.stderr)
    read, expected = compile_reader(totals.SCHEMA, as_written=True), {}
    for record in read_to_end(kafka, totals.SOURCE):
        value = record.value() or b""
        line = read(value, 5, len(value))[0]
        total = expected.setdefault(line["project_id"], [0, 0.0, 0.0, 0.0])
        total[0] += 1
        total[1] += line["hours"]
        total[2] += line["hours"] if line["billable"] else 0
        total[3] += line["hours"] if line["approved"] else 0
    return {project: totals.PACK(*total) for project, total in expected.items()}


def found(kafka: KafkaSettings, topic: str, since: dict[int, int]) -> dict[int, bytes]:
    """The last total of each project on a topic."""
    last: dict[int, bytes] = {}
    for record in read_to_end(kafka, topic):
        if (record.offset() or 0) >= since.get(record.partition() or 0, 0):
            last[int.from_bytes(record.key() or b"", "big")] = record.value() or b""
    return last


def ours(kafka: KafkaSettings, mode: str, expected: dict[int, bytes], lines: int, folder: Path) -> float:
    """CPU seconds per million lines, start and end of the process included, as the peer counts its own."""
    declared = totals.topics(mode)
    topics.apply(kafka, topics.plan(kafka, declared), declared)
    out = totals.topology(mode).processors[0].measure.name
    with worker(str(kafka.bootstrap_servers), mode, folder) as process:
        deadline = time.monotonic() + PATIENCE
        while _committed(kafka, mode) < lines:
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit(f"our worker did not finish: it has {_committed(kafka, mode)} of {lines} lines")
            time.sleep(0.2)
        times = process.cpu_times()
    if found(kafka, out, {}) != expected:
        raise SystemExit(f"our totals ({mode}) are wrong")
    return float(times.user + times.system) / lines * 1e6


def _committed(kafka: KafkaSettings, mode: str) -> int:
    probe = consumer(kafka, group=f"bench.totals-{mode}")
    try:
        return sum(max(t.offset, 0) for t in probe.committed([TopicPartition(totals.SOURCE, p) for p in range(6)], 10))
    except KafkaException:  # the group's coordinator is just being made
        return 0
    finally:
        probe.close()


@contextmanager
def worker(bootstrap: str, mode: str, folder: Path) -> Iterator[psutil.Popen]:
    process = psutil.Popen(
        [sys.executable, "-m", "tests.bench.totals", bootstrap, mode, str(folder)], cwd=ROOT, stdout=sys.stderr
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def theirs(kafka: KafkaSettings, mode: str, expected: dict[int, bytes], lines: int, folder: Path) -> float:
    """The same of Kafka Streams with one thread: at least once with its default cache, or exactly once with none."""
    guarantee, cache = PEER[mode]
    since = {p: end for p, (_, end) in end_offsets(kafka, "bench-out", range(6)).items()}
    classes = built() / "target"
    command = ["java", "-cp", f"{classes / 'classes'}{os.pathsep}{classes / 'libs'}/*", "bench.TotalsBench"]
    arguments = [
        str(kafka.bootstrap_servers),
        f"peer-{mode}",
        guarantee,
        "totals",
        str(lines),
        "1",
        cache,
        "-",
        str(folder),
    ]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True, timeout=PATIENCE)
    if found(kafka, "bench-out", since) != expected:
        raise SystemExit(f"the peer's totals ({mode}) are wrong")
    return float(json.loads(done.stdout.strip().splitlines()[-1])["cpu_s_per_M"])


def quix_python() -> Path:
    """A Python that has quixstreams, made once. Raises `CalledProcessError` where it cannot be had."""
    folder = Path(platformdirs.user_cache_dir("burnline")) / "bench" / QUIX[0]
    python, made = folder / "bin" / "python", folder / ".made"
    if not made.exists():
        for command in (["venv", "--clear", str(folder)], ["pip", "install", "--python", str(python), *QUIX]):
            subprocess.run(["uv", *command], check=True, capture_output=True, text=True)
        made.touch()
    return python


def quixstreams(kafka: KafkaSettings, expected: dict[int, bytes], lines: int, folder: Path) -> float:
    """The same of quixstreams, exactly once, every update out."""
    settings = {"BS": str(kafka.bootstrap_servers), "N": str(lines), "APPID": "quix", "STATE_DIR": str(folder)}
    done = subprocess.run(
        [quix_python(), "python/quix_bench.py", "exactly-once"],
        cwd=PEERS, env={**os.environ, **settings}, check=True, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    if found(kafka, "bench-out-quix", {}) != expected:
        raise SystemExit("the totals of quixstreams are wrong")
    return float(json.loads(done.stdout.strip().splitlines()[-1])["cpu_s_per_M"])


def beside(value: float, peer: str, peer_value: float) -> dict[str, Any]:
    """A figure of ours beside that of a peer."""
    return {
        "value": round(value, 2),
        "unit": "CPU s",
        "peer": peer,
        "peer_value": round(peer_value, 2),
        "ratio": round(value / peer_value, 2),
    }


def compare(lines: int) -> dict[str, Any]:
    """Both jobs by all programs."""
    if (reason := missing()) is not None:
        return {"skipped": reason}
    figures: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory(prefix="burnline-peers-") as folder,
        EmbeddedKafka(Path(folder) / "kafka") as broker,
    ):
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        expected = fill(str(broker.bootstrap_servers), lines)
        for mode, figure in (("conflated", "running_totals"), ("each", "running_totals_each_output")):
            peer = theirs(kafka, mode, expected, lines, Path(folder) / f"state-{mode}")
            value = ours(kafka, mode, expected, lines, Path(folder) / f"ours-{mode}")
            told = f"Kafka Streams, {PEER[mode][0]}, cache of {PEER[mode][1]} bytes"
            figures[f"{figure}_cpu_s_per_million"] = beside(value, told, peer)
        try:
            peer = quixstreams(kafka, expected, lines, Path(folder) / "quix")
        except (OSError, subprocess.SubprocessError) as error:
            figures["skipped"] = f"quixstreams: {error} {(getattr(error, 'stderr', '') or '')[-300:]}"
        else:
            figures["running_totals_each_output_beside_quixstreams"] = beside(value, QUIX[0], peer)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    logs.configure("error")
    figures = compare(chosen.lines)
    print(json.dumps(figures) if chosen.json else json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
