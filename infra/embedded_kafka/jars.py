"""The broker's jars on this machine: fetched once by jgo's pure Python resolver, then used from the cache.

What an interrupted download left behind is noticed by its digest and fetched again; what was complete is kept. A file that the
user's own Maven cache holds already is copied from there. The mark `.complete` is written last: with it, a start looks only
at sizes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.embedded_kafka.diagnosis import OTHER_BROKER
from infra.embedded_kafka.lock import Jar, locked_jars
from infra.embedded_kafka.repositories import choose_repositories
from infra.errors import Fatal

if TYPE_CHECKING:
    from jgo.maven import MavenContext

ATTEMPTS = 3
PARALLEL = 6
KAFKA_VERSION = next(jar.version for jar in locked_jars() if jar.artifact == "kafka_2.13")
_REMEDY = (
    "connect to the network for this first use, set BURNLINE_BROKER__MAVEN_REPOSITORY or a mirror in ~/.m2/settings.xml "
    "to a Maven repository that you can reach, "
)


def ready_jars(cache_dir: Path, repository: str | None, progress: Callable[[str], None]) -> list[Path]:
    """The broker's jars in the order of the class path: see `ready_files`."""
    title, folder = f"Apache Kafka {KAFKA_VERSION}", cache_dir / f"kafka-{KAFKA_VERSION}"
    return ready_files(
        locked_jars(), folder, title=title, instead=OTHER_BROKER, repository=repository, progress=progress
    )


def ready_files(
    jars: Sequence[Jar],
    folder: Path,
    *,
    title: str,
    instead: str,
    repository: str | None,
    progress: Callable[[str], None],
) -> list[Path]:
    """These files in their order, complete and verified, in the folder; fetched if they are not here yet.

    `progress` is told each step in words. Safe to repeat after an interruption. Raises `Fatal` when a file cannot be had;
    its remedy ends with what can be done `instead`.
    """
    paths = [folder / jar.name for jar in jars]
    mark = folder / ".complete"
    if mark.exists() and all(_size(path) == jar.size for jar, path in zip(jars, paths, strict=True)):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    context = _context(folder / "repository", repository)
    megabytes = sum(jar.size for jar in jars) // 2**20
    with ThreadPoolExecutor(PARALLEL) as pool:
        tasks = [pool.submit(_fetch, jar, folder / jar.name, context, _REMEDY + instead) for jar in jars]
        try:
            for done, task in enumerate(as_completed(tasks), 1):
                task.result()
                progress(f"fetching {title}: {done} of {len(jars)} files, {megabytes} MB in all")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    shutil.rmtree(folder / "repository", ignore_errors=True)
    mark.touch()
    return paths


def _fetch(jar: Jar, target: Path, context: MavenContext, remedy: str) -> None:
    if _intact(target, jar):
        return
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    artifact = component.artifact(jar.classifier, jar.packaging)
    for attempt in range(1, ATTEMPTS + 1):
        last = attempt == ATTEMPTS
        try:
            found = artifact.resolve()
        # jgo raises RuntimeError for what a repository does not have, and lets those of its HTTP client (OSErrors) through.
        except (OSError, RuntimeError) as error:
            _discard(artifact.cached_path)
            if getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS}:
                raise
            if last:
                raise Fatal(
                    f"cannot fetch {jar.name} from {_hosts(context)}: {_words(error)}", remedy=remedy
                ) from error
            continue
        if _intact(found, jar):
            part = target.with_name(target.name + ".part")
            shutil.copyfile(found, part)
            part.replace(target)
            return
        if found == artifact.cached_path:
            _discard(found)
        else:
            context.local_repos.clear()  # the user's own copy is damaged: take the repository's
    raise Fatal(
        f"{jar.name} from {_hosts(context)} is not the published file: its SHA-256 differs",
        remedy="ask whoever keeps that repository; or set BURNLINE_BROKER__MAVEN_REPOSITORY to another one",
    )


def _context(cache: Path, repository: str | None) -> MavenContext:
    from jgo.config import GlobalSettings  # noqa: PLC0415  jgo is slow to import, and only a first use needs it
    from jgo.constants import MAVEN_CENTRAL_URL, default_maven_repo  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    home = Path.home() / ".m2" / "settings.xml"
    defaults = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    try:
        chosen = choose_repositories(repository, home.read_text() if home.is_file() else None, defaults)
    except ValueError as error:
        raise Fatal(f"cannot read the Maven settings {home}: {error}", remedy="correct the file") from error
    return MavenContext(repo_cache=cache, local_repos=[default_maven_repo()], remote_repos=chosen)


def _hosts(context: MavenContext) -> str:
    # The host alone: a repository's URL may carry a password.
    return " and ".join(urlsplit(url).hostname or url for url in context.remote_repos.values())


def _words(error: BaseException) -> str:
    if isinstance(error, RuntimeError):
        return "the repository does not have it"
    deepest: BaseException = error
    while (deeper := deepest.__cause__ or deepest.__context__) is not None:
        deepest = deeper
    return (getattr(deepest, "strerror", None) or str(deepest) or type(deepest).__name__).rstrip(".")


def _intact(path: Path, jar: Jar) -> bool:
    if _size(path) != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116  46 of them at each start
    except OSError:
        return -1


def _discard(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
