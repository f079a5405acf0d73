"""The document store of the local stack: SecantusDB, a server for MongoDB's protocol."""

import shutil
import sys
from functools import partial
from pathlib import Path

from deploy.failure import FAILED, Failure
from deploy.local import probe
from deploy.local.component import Component
from deploy.security.files import replace_file

PROGRAM = "secantusd-py"


def uri(port: int) -> str:
    """The connection string; directConnection, because the store is a single node."""
    return f"mongodb://127.0.0.1:{port}/?directConnection=true"


def store_component(folder: Path, port: int) -> Component:
    """The store with its files in `folder`. `--sync-on-commit` keeps acknowledged writes when the process is killed."""
    settings = folder / "secantusd.toml"
    command = (_program(), "--config", str(settings), "--sync-on-commit", "--host", "127.0.0.1", "--port", str(port))
    return Component(
        name="store",
        command=(*command, "--storage-path", str(folder / "data"), "--cache-size", "256M", "--log-level", "WARNING"),
        ready=partial(probe.store, uri(port)),
        stage=3,
        ports=(port,),
        prepare=partial(_prepare, settings),
    )


def _prepare(settings: Path) -> None:
    # Without --config the server would read the user's ~/.config, so it gets an empty file.
    settings.parent.mkdir(parents=True, exist_ok=True)
    replace_file(settings, "# All settings of the local store are given on its command line.\n")


def _program() -> str:
    beside = Path(sys.executable).with_name(PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if found is None:
        raise Failure(
            FAILED, f"The program {PROGRAM!r} of the store is not installed: run `pip install 'chorus[local]'`."
        )
    return found
