"""A store that requires a login, like MongoDB in docker-compose.yml."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local import probe
from deploy.local.store import PROGRAM
from deploy.replica_set import Client
from shared.runtime.settings import Settings
from shared.store.login import store_login
from shared.store.mongo import refuses_login
from tests.integration.composed import free_ports
from tests.patience import PATIENCE_S


@dataclass
class Store:
    """A store, and the folder that is /run/secrets in the containers."""

    address: str
    secrets: Path

    def keep(self, **passwords: str) -> None:
        """Write passwords into the files of `chorus secrets`."""
        for name, password in passwords.items():
            (self.secrets / f"mongo-{name.replace('_', '-')}").write_text(f"{password}\n")

    def login(self, user: str) -> dict[str, Any]:
        """The login settings of a service."""
        return store_login(Settings(mongodb_user=user, mongodb_password_file=self.secrets / f"mongo-{user}"))

    def lets_in(self, user: str, password: str) -> bool:
        """Whether the store accepts this password."""
        client: Client = MongoClient(
            f"mongodb://{self.address}/?directConnection=true", username=user, password=password
        )
        try:
            client.admin.command("ping")
        except OperationFailure as error:
            return not refuses_login(error)
        finally:
            client.close()
        return True


@contextmanager
def guarded(folder: Path, secrets: Path, admins: str) -> Iterator[Store]:
    """The state of a new node: the first user exists, and every client must log in."""
    (port,) = free_ports(1)
    made = Store(f"127.0.0.1:{port}", secrets)
    with serving(folder, port):
        client: Client = MongoClient(f"mongodb://{made.address}/?directConnection=true")
        client.admin.command("createUser", "admin", pwd=admins, roles=[{"role": "root", "db": "admin"}])
        client.close()
    with serving(folder, port, "--auth"):
        yield made


@contextmanager
def serving(folder: Path, port: int, *words: str) -> Iterator[None]:
    """The store on a port, until the end of the block."""
    settings = folder / "secantusd.toml"
    settings.write_text("# nothing\n")
    program = [str(Path(sys.executable).with_name(PROGRAM)), "--config", str(settings), "--host", "127.0.0.1"]
    where = ["--port", str(port), "--storage-path", str(folder / "data"), "--log-level", "ERROR"]
    process = subprocess.Popen([*program, *where, *words])
    try:
        until = time.monotonic() + PATIENCE_S
        while words_of := probe.store(f"mongodb://127.0.0.1:{port}/?directConnection=true"):
            if "requires authentication" in words_of:
                break
            assert process.poll() is None, f"the store ended: {words_of}"
            assert time.monotonic() < until, words_of
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
