"""The document store of the local stack: SecantusDB as a process of its own, every acknowledged write on disk."""

import shutil
import sys
from functools import partial
from pathlib import Path

from deploy.failure import FAILED, Failure
from deploy.local import probe
from deploy.local.part import StackPart
from deploy.security.files import replace_file

PROGRAM = "secantusd-py"


def uri(port: int) -> str:
    """The address for clients; the store is one node, so nothing is to be discovered."""
    return f"mongodb://127.0.0.1:{port}/?directConnection=true"


def store_part(folder: Path, port: int) -> StackPart:
    """The store with its files in `folder`; without `--sync-on-commit` a kill could lose acknowledged writes."""
    settings = folder / "secantusd.toml"
    command = (_program(), "--config", str(settings), "--sync-on-commit", "--host", "127.0.0.1", "--port", str(port))
    return StackPart(
        name="store",
        command=(*command, "--storage-path", str(folder / "data"), "--cache-size", "256M", "--log-level", "WARNING"),
        ready=partial(probe.store, uri(port)),
        stage=3,
        ports=(port,),
        prepare=partial(_prepare, settings),
    )


def _prepare(settings: Path) -> None:
    # A settings file of our own, because the server would take one from the user's home, with whatever is in there.
    settings.parent.mkdir(parents=True, exist_ok=True)
    replace_file(settings, "# All settings of the local store are given on its command line.\n")


def _program() -> str:
    beside = Path(sys.executable).with_name(PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if found is None:
        raise Failure(FAILED, f"The store's program {PROGRAM!r} is not installed: run `pip install 'chorus[local]'`.")
    return found
