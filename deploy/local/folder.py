"""The data folder of a local stack: its layout, its lock, its secrets, its modes; one stack at a time."""

import fcntl
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.failure import FAILED, Failure
from deploy.security.files import replace_file

LAYOUT = 3
"""The format of everything below the folder. 2: facts hold no free text and events are the facts. 3: each mail belongs to
the thread of its inquiry and recipient."""
DATA = frozenset({"kafka", "store"})
BESIDE_DATA = frozenset({"files", "mail", "logs", "secrets", "stack.json", "processes.json", "city.sha256"})
LOCK = "lock"
OTHERS = 0o077
"""The permission bits of everybody but the owner, as a umask."""
OTHER_FOLDER = "start with another folder: `chorus up --data DIR`"


@dataclass(frozen=True)
class Folder:
    """Paths under one data folder; `path` is absolute."""

    path: Path

    @property
    def marker(self) -> Path:
        """Says that Chorus made this folder, and in which layout."""
        return self.path / "chorus.json"

    @property
    def stack(self) -> Path:
        """Where the running stack can be reached."""
        return self.path / "stack.json"

    @property
    def processes(self) -> Path:
        """Ids and start times of the started processes, so that the next start finds what a killed one left."""
        return self.path / "processes.json"

    @property
    def applied_city(self) -> Path:
        """The hash of the city folder that was applied last."""
        return self.path / "city.sha256"

    @property
    def kafka(self) -> Path:
        """The broker's settings and records."""
        return self.path / "kafka"

    @property
    def store(self) -> Path:
        """The store's files."""
        return self.path / "store"

    @property
    def mail(self) -> Path:
        """Received messages, one .eml each."""
        return self.path / "mail"

    @property
    def files(self) -> Path:
        """The files of residents and departments."""
        return self.path / "files"

    @property
    def logs(self) -> Path:
        """One log a part."""
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        """Tokens and passwords."""
        return self.path / "secrets"

    @property
    def user_tokens(self) -> Path:
        """A file with the token of each sample user."""
        return self.secrets / "users"

    @property
    def kafka_users(self) -> Path:
        """A file with the password of each of Kafka's users, where Kafka has users."""
        return self.secrets / "kafka"

    def secret(self, name: str) -> Path:
        """A file with 64 random characters, made once, readable by its owner alone."""
        file = self.secrets / name
        if not file.exists():
            file.parent.mkdir(mode=0o700, exist_ok=True)
            replace_file(file, secrets.token_hex(32) + "\n", mode=0o600)
        return file


@contextmanager
def claimed(path: Path) -> Iterator[Folder]:
    """Hold the folder's lock; raises Failure when another stack holds it or the folder was not made by Chorus.

    Everything that this process and its children make until the end is readable by its owner alone. The operating
    system releases the lock with the process, however that ends.
    """
    folder = Folder(path.expanduser().absolute())
    _refuse_foreign(folder)
    before = os.umask(OTHERS)
    try:
        _make(folder.path)
        with open(folder.path / LOCK, "a+", encoding="ascii") as lock:
            _lock(lock.fileno(), folder)
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield folder
    finally:
        os.umask(before)


def settle(folder: Folder, *, secure: bool = False) -> None:
    """Make the folder ready, and what is in it readable by its owner alone.

    Raises Failure when another layout wrote it, or when it was made without --secure and this is with it, or the other
    way round.
    """
    found = layout(folder)
    if found is None and _holds_data(folder.path):
        raise Failure(
            FAILED,
            f"The data in {str(folder.path)!r} does not say its layout and this release needs {LAYOUT!r}: "
            f"empty it with `chorus up --fresh`, or {OTHER_FOLDER}.",
        )
    if found is None:
        replace_file(folder.marker, json.dumps({"layout": LAYOUT, "secure": secure}) + "\n")
    elif found != LAYOUT:
        raise Failure(
            FAILED,
            f"The data in {str(folder.path)!r} has layout {found!r} and this release needs {LAYOUT!r}: "
            f"empty it with `chorus up --fresh`, or {OTHER_FOLDER}.",
        )
    elif (was := _noted(folder).get("secure", False)) is not secure:
        raise Failure(
            FAILED,
            f"The data in {str(folder.path)!r} was made {'with' if was else 'without'} --secure: "
            f"{'add' if was else 'leave out'} --secure, empty it with --fresh, or {OTHER_FOLDER}.",
        )
    for made in (folder.kafka, folder.store, folder.mail, folder.logs):
        made.mkdir(exist_ok=True)
    tighten(folder.path)


def tighten(path: Path) -> None:
    """Take every permission of others from a folder and what is in it; links are left, so nothing outside changes."""
    try:
        _take_from_others(path)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                _take_from_others(Path(folder, name))
    except PermissionError as error:
        raise Failure(
            FAILED,
            f"The mode of {error.filename!r} cannot be changed ({error.strerror}), so others may read residents' data: "
            "run this as the owner of the data folder.",
        ) from error


def _take_from_others(path: Path) -> None:
    mode = path.lstat().st_mode
    if not stat.S_ISLNK(mode) and mode & OTHERS:
        path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def layout(folder: Folder) -> object:
    """The layout number that the folder's marker names; None when there is no marker yet."""
    try:
        return _noted(folder).get("layout")
    except FileNotFoundError:
        return None
    except (ValueError, AttributeError):
        return "unreadable"


def _noted(folder: Folder) -> dict[str, object]:
    noted: dict[str, object] = json.loads(folder.marker.read_text("utf-8"))
    return noted


def empty(folder: Folder) -> None:
    """Remove all data; the lock stays, because it is held. The marker goes last: an interrupted call can be repeated."""
    for entry in sorted(folder.path.iterdir(), key=lambda entry: entry == folder.marker):
        if entry.name == LOCK:
            continue
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def has_data(folder: Folder) -> bool:
    """Whether there is anything to lose."""
    return folder.marker.exists() or _holds_data(folder.path)


def _refuse_foreign(folder: Folder) -> None:
    path = folder.path
    if path.exists() and not path.is_dir():
        raise Failure(FAILED, f"{str(path)!r} is not a folder: {OTHER_FOLDER}.")
    if path.exists() and not folder.marker.exists() and any(_strangers(path)) and not _holds_data(path):
        raise Failure(
            FAILED, f"{str(path)!r} holds files that Chorus did not make, so it is left alone: {OTHER_FOLDER}."
        )


def _holds_data(path: Path) -> bool:
    """Whether a folder without a marker holds a broker's and a store's data, and nothing that Chorus does not make."""
    if not path.is_dir() or (path / "chorus.json").exists():
        return False
    names = {entry.name for entry in _strangers(path) if entry.suffix != ".lock"}
    return DATA <= names <= DATA | BESIDE_DATA


def _strangers(path: Path) -> Iterator[Path]:
    return (entry for entry in path.iterdir() if entry.name != LOCK and not entry.name.startswith(".chorus.json."))


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(
            FAILED, f"Cannot make the data folder {str(path)!r} ({error.strerror}): {OTHER_FOLDER}."
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise Failure(FAILED, f"The data folder {str(path)!r} is not writable: change its mode, or {OTHER_FOLDER}.")


def _lock(descriptor: int, folder: Folder) -> None:
    # A second chance for the moment in which the last supervisor is just ending.
    for pause_s in (0.3, 0.3, None):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as held:
            if pause_s is None:
                holder = (folder.path / LOCK).read_text("ascii") or "unknown"
                raise Failure(
                    FAILED,
                    f"Chorus already runs on {str(folder.path)!r} (process {holder}): stop it with Ctrl-C in its terminal, "
                    "or start a second one with `chorus up --data DIR --ports BASE`.",
                ) from held
            time.sleep(pause_s)
