"""Apache Kafka's jars: fetched once from a Maven repository, each one checked against the pinned list, kept in a cache."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.failure import FAILED, Failure

ATTEMPTS = 3
AT_ONCE = 6
TIMEOUT_S = 15
LIST = Path(__file__).with_name("kafka-jars.json")

Report = Callable[[int, int, str], None]
"""Told how many jars are there, of how many, and the name of the last one."""


@dataclass(frozen=True)
class Pinned:
    """The version, and the SHA-256 of every jar by its `group:artifact:version`."""

    version: str
    jars: Mapping[str, str]


def pinned() -> Pinned:
    """The list that this release was tested with; `python -m deploy.local.pin` makes it."""
    content = json.loads(LIST.read_text("utf-8"))
    return Pinned(content["kafka"], content["jars"])


def cache() -> Path:
    """Where fetched files are kept, for every stack of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chorus"


def place() -> Path:
    """The folder that has the jars once they are fetched."""
    return cache() / f"kafka-{pinned().version}"


def fetched(report: Report = lambda done, total, name: None) -> Path:
    """The folder with Kafka's jars, fetching them first when they are not there; raises Failure when that cannot be done.

    The folder appears whole or not at all, so a killed fetch is never believed.
    """
    wanted, folder = pinned(), place()
    if not _complete(folder, wanted):
        with _alone(folder):
            if not _complete(folder, wanted):
                _fetch(wanted, folder, report)
    return folder


def file_name(coordinate: str) -> str:
    """The jar's name: `group:artifact:version` is artifact-version.jar."""
    _, artifact, version = coordinate.split(":")
    return f"{artifact}-{version}.jar"


def _complete(folder: Path, wanted: Pinned) -> bool:
    return all((folder / file_name(coordinate)).is_file() for coordinate in wanted.jars)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = open(folder.with_name(f"{folder.name}.lock"), "w")  # noqa: SIM115 - held to the end of this function
    except OSError as error:
        raise Failure(
            FAILED,
            f"Cannot keep Apache Kafka in {str(folder.parent)!r} ({error.strerror}): set XDG_CACHE_HOME to another folder.",
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(wanted: Pinned, folder: Path, report: Report) -> None:
    draft = folder.with_name(f"{folder.name}.part")
    for old in (draft, folder):  # what a killed fetch or a tidying tool left
        shutil.rmtree(old, ignore_errors=True)
    try:
        ready = draft / "ready"
        ready.mkdir(parents=True)
        _fetch_all(wanted, draft / "repository", ready, report)
        ready.rename(folder)
    except OSError as error:
        raise Failure(
            FAILED,
            f"Cannot keep Apache Kafka in {str(folder.parent)!r} ({error.strerror}): make room, or set XDG_CACHE_HOME elsewhere.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fetch_all(wanted: Pinned, repository: Path, ready: Path, report: Report) -> None:
    fetch_one = partial(_fetch_one, repository=repository, version=wanted.version)
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        jobs = {pool.submit(fetch_one, coordinate, digest): coordinate for coordinate, digest in wanted.jars.items()}
        for done, job in enumerate(as_completed(jobs), start=1):
            name = file_name(jobs[job])
            job.result().rename(ready / name)
            report(done, len(jobs), name)
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch_one(coordinate: str, digest: str, repository: Path, version: str) -> Path:
    from jgo.maven import MavenContext, PythonResolver
    from requests import RequestException

    mirror = os.environ.get("CHORUS_MAVEN")
    context = MavenContext(
        resolver=PythonResolver(),
        repo_cache=repository,
        remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
        timeout=TIMEOUT_S,
    )
    group, artifact, jar_version = coordinate.split(":")
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            jar = context.project(group, artifact).at_version(jar_version).artifact().resolve()
        except (RequestException, RuntimeError) as error:
            reason = _short(error)
        else:
            if hashlib.sha256(jar.read_bytes()).hexdigest() == digest:
                return jar
            reason = "its content is not the pinned one"
        # Half a file would be taken for the whole one at the next attempt.
        shutil.rmtree(repository / group.replace(".", "/") / artifact, ignore_errors=True)
    raise Failure(
        FAILED,
        f"Cannot fetch {file_name(coordinate)} of Apache Kafka {version} ({reason}): check the network, set CHORUS_MAVEN to "
        "a Maven mirror, or set CHORUS_KAFKA to a broker that runs.",
    )


def _short(error: Exception) -> str:
    """The innermost words: the network library wraps its errors several times."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    return str(getattr(error, "reason", None) or error).split(" {")[0][-200:]
