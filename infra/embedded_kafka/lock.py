"""The jars of the broker: which, and what they must contain. `python -m infra.embedded_kafka.lock VERSION` writes `jars.lock` anew.

jgo walks the dependency graph only then, not on the user's machine: a start fetches 46 known files at once instead of asking for
200 descriptions first, and no mirror can slip in another file, for each is held against its SHA-256. The logging adapter is
resolved as `raw`: its parent would otherwise set the version of Kafka's own client back to an old one.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

LOCK = "jars.lock"
_LOGGING = ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3")


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of a Maven repository: its coordinates, its size in bytes and its SHA-256 in hexadecimal.

    It is a jar without a classifier, as most are, or of another `packaging`, such as `tar.gz`.
    """

    group: str
    artifact: str
    version: str
    size: int
    sha256: str
    packaging: str = "jar"
    classifier: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        classified = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classified}.{self.packaging}"


def parse_lock(text: str) -> list[Jar]:
    """The files that a lock file lists, in its order: `group:artifact:version[:packaging[:classifier]] size sha256`."""
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinates, size, sha256 = line.split()
            group, artifact, version, *kind = coordinates.split(":")
            jars.append(Jar(group, artifact, version, int(size), sha256, *kind))
    return jars


def locked_jars() -> list[Jar]:
    """The jars of the broker that this version of Burnline brings along."""
    return parse_lock(files("infra.embedded_kafka").joinpath(LOCK).read_text())


def resolve(kafka_version: str, folder: Path) -> list[Jar]:
    """Ask jgo for all jars that a broker of this version runs on, and measure them."""
    from jgo.maven import MavenContext  # noqa: PLC0415  jgo is slow to import, and only this needs it
    from jgo.parse import Coordinate  # noqa: PLC0415

    context = MavenContext(repo_cache=folder)
    wanted = [("org.apache.kafka", "kafka_2.13", kafka_version), _LOGGING]
    inputs, others = context.resolver.resolve(
        [context.create_dependency(Coordinate(*each, scope="compile", raw=True)) for each in wanted]
    )
    jars = []
    for dependency in [*inputs, *(each for each in others if each.scope in {"compile", "runtime"})]:
        content = dependency.artifact.resolve().read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        jars.append(Jar(dependency.groupId, dependency.artifactId, dependency.version, len(content), digest))
    return jars


def main(kafka_version: str) -> None:
    """Write the lock file of this version of Kafka."""
    with tempfile.TemporaryDirectory() as folder:
        jars = resolve(kafka_version, Path(folder))
    rows = (f"{jar.group}:{jar.artifact}:{jar.version} {jar.size} {jar.sha256}\n" for jar in jars)
    header = f"# Apache Kafka {kafka_version}, written by infra/embedded_kafka/lock.py\n"
    Path(__file__).with_name(LOCK).write_text(header + "".join(rows))


if __name__ == "__main__":
    main(sys.argv[1])
