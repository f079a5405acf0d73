"""MongoDB as the services use it: a replica set, and a user for each service, who opens that service's database and no other.

`python -m deploy.replica_set mongo-1:27017 …` is run by compose; safe to repeat, and what follows a rotation.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.terminal import write_lines
from shared.contracts.sources import SERVICES
from shared.store.mongo import refuses_login

Client = MongoClient[dict[str, Any]]
SECRETS = Path("/run/secrets")
SET, ADMIN, WHERE_USERS_ARE = "chorus", "admin", "admin"
# What `mongorestore --oplogReplay` asks for and the role root does not give.
EVERYTHING = "everything"
NOT_YET_INITIALIZED = 94
NOBODY_ELSE_MS = 5_000
PRIMARY_S = 90


def main(members: Sequence[str], secrets: Path = SECRETS) -> None:
    """Have the set of these nodes, with a primary, and everybody's users and passwords in it."""
    passwords = {name: _read(secrets, name) for name in (ADMIN, f"{ADMIN}-before", *SERVICES)}
    with admitted(members[0], passwords[ADMIN], passwords[f"{ADMIN}-before"]) as node:
        initiate(node, members)
        await_primary(node)
        primary = node.admin.command("hello")["primary"]
    with admitted(primary, passwords[ADMIN], passwords[f"{ADMIN}-before"]) as node:
        settle_users(node, passwords[ADMIN], {service: passwords[service] for service in SERVICES})
    write_lines(sys.stdout, f"The replica set {SET!r} has the primary {primary!r} and a user for each service.")


def admitted(node: str, password: str, before: str) -> Client:
    """A client of this node alone, as admin, who has the password before a rotation until `settle_users` is through."""
    for word in filter(None, (password, before)):
        client: Client = MongoClient(
            f"mongodb://{node}/?directConnection=true",
            username=ADMIN,
            password=word,
            authSource=WHERE_USERS_ARE,
            serverSelectionTimeoutMS=NOBODY_ELSE_MS,
        )
        try:
            client.admin.command("ping")
        except PyMongoError as error:
            client.close()
            if not refuses_login(error):
                raise
        else:
            return client
    sys.exit(f"MongoDB at {node!r} takes neither the password of its user {ADMIN!r} nor the one before it.")


def initiate(node: Client, members: Sequence[str]) -> None:
    """Make the set unless the node belongs to one."""
    try:
        node.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        hosts = [{"_id": number, "host": host} for number, host in enumerate(members)]
        node.admin.command("replSetInitiate", {"_id": SET, "members": hosts})


def await_primary(node: Client, limit_s: float = PRIMARY_S) -> None:
    """Return when the set has a primary; ends the program with a sentence when it gets none."""
    until = time.monotonic() + limit_s
    while "primary" not in node.admin.command("hello"):
        if time.monotonic() > until:
            sys.exit(f"The replica set {SET!r} has had no primary for {limit_s:.0f} s: do all its nodes run?")
        time.sleep(0.5)


def settle_users(primary: Client, admins: str, services: Mapping[str, str]) -> None:
    """Everybody's password is the one given, and a service may read and write its own database, nothing else."""
    database = primary[WHERE_USERS_ARE]
    known = {one["user"] for one in database.command("usersInfo")["users"]}
    for service, password in services.items():
        roles = [{"role": "readWrite", "db": f"chorus_{service}"}]
        database.command("updateUser" if service in known else "createUser", service, pwd=password, roles=roles)
    if not database.command("rolesInfo", EVERYTHING)["roles"]:
        allowed = [{"resource": {"anyResource": True}, "actions": ["anyAction"]}]
        database.command("createRole", EVERYTHING, privileges=allowed, roles=[])
    roles = [{"role": role, "db": WHERE_USERS_ARE} for role in ("root", EVERYTHING)]
    database.command("updateUser", ADMIN, pwd=admins, roles=roles)


def _read(secrets: Path, name: str) -> str:
    return (secrets / f"mongo-{name}").read_text("utf-8").strip()


if __name__ == "__main__":
    main(sys.argv[1:])
