"""Downloads Apache Kafka's jars from a Maven repository into a cache, and checks each against its pinned SHA-256."""

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
"""Called after each jar with the number downloaded, the total, and the jar's name."""


@dataclass(frozen=True)
class Pinned:
    """Kafka's version, and the SHA-256 of every jar by its Maven coordinate `group:artifact:version`."""

    version: str
    jars: Mapping[str, str]


def pinned() -> Pinned:
    """The pinned list of this release, written by `python -m deploy.local.pin`."""
    content = json.loads(LIST.read_text("utf-8"))
    return Pinned(content["kafka"], content["jars"])


def cache() -> Path:
    """The cache folder, shared by all stacks of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chorus"


def jar_folder() -> Path:
    """The folder of the pinned version's jars; `download` creates it."""
    return cache() / f"kafka-{pinned().version}"


def download(report: Report = lambda done, total, name: None) -> Path:
    """The folder with Kafka's jars, downloaded if missing; raises Failure when the download fails.

    The folder is renamed into place when complete, so an interrupted download never leaves a partial one.
    """
    wanted, folder = pinned(), jar_folder()
    if not _complete(folder, wanted):
        with _locked(folder):
            if not _complete(folder, wanted):
                _fetch(wanted, folder, report)
    return folder


def file_name(coordinate: str) -> str:
    """The file name of `group:artifact:version`: artifact-version.jar."""
    _, artifact, version = coordinate.split(":")
    return f"{artifact}-{version}.jar"


def _complete(folder: Path, wanted: Pinned) -> bool:
    return all((folder / file_name(coordinate)).is_file() for coordinate in wanted.jars)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = open(folder.with_name(f"{folder.name}.lock"), "w")  # noqa: SIM115 - closed by `with lock` below
    except OSError as error:
        raise Failure(
            FAILED,
            f"Cannot write the cache folder {str(folder.parent)!r} ({error.strerror}): set XDG_CACHE_HOME to another folder.",
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(wanted: Pinned, folder: Path, report: Report) -> None:
    draft = folder.with_name(f"{folder.name}.part")
    for old in (draft, folder):  # incomplete: left by an interrupted download or a cache cleaner
        shutil.rmtree(old, ignore_errors=True)
    try:
        ready = draft / "ready"
        ready.mkdir(parents=True)
        _fetch_all(wanted, draft / "repository", ready, report)
        ready.rename(folder)
    except OSError as error:
        raise Failure(
            FAILED,
            f"Cannot write the cache folder {str(folder.parent)!r} ({error.strerror}): free disk space, or set XDG_CACHE_HOME "
            "to another folder.",
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
            reason = "its SHA-256 differs from the pinned one"
        # The resolver would reuse a partial download at the next attempt.
        shutil.rmtree(repository / group.replace(".", "/") / artifact, ignore_errors=True)
    raise Failure(
        FAILED,
        f"Cannot download {file_name(coordinate)} of Apache Kafka {version} ({reason}): check the network, set CHORUS_MAVEN "
        "to a Maven mirror, or set CHORUS_KAFKA to a running broker.",
    )


def _short(error: Exception) -> str:
    """The message of the innermost error: the network library wraps its errors several times."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    return str(getattr(error, "reason", None) or error).split(" {")[0][-200:]
