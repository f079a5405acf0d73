"""Initiates the MongoDB replica set and creates a user for each service, with access to that service's database only.

Compose runs `python -m deploy.replica_set mongo-1:27017 …` before the services. Safe to repeat; run it after rotating a
MongoDB password.
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
SET, ADMIN, AUTH_DATABASE = "chorus", "admin", "admin"
# `mongorestore --oplogReplay` needs anyAction on anyResource, which the role root does not include.
ANY_ACTION_ROLE = "everything"
NOT_YET_INITIALIZED = 94
SERVER_SELECTION_MS = 5_000
PRIMARY_S = 90


def main(members: Sequence[str], secrets: Path = SECRETS) -> None:
    """Initiate the replica set of these members, wait for its primary, and set users and passwords."""
    passwords = {name: _read(secrets, name) for name in (ADMIN, f"{ADMIN}-before", *SERVICES)}
    with connect_as_admin(members[0], passwords[ADMIN], passwords[f"{ADMIN}-before"]) as node:
        initiate(node, members)
        await_primary(node)
        primary = node.admin.command("hello")["primary"]
    with connect_as_admin(primary, passwords[ADMIN], passwords[f"{ADMIN}-before"]) as node:
        set_users(node, passwords[ADMIN], {service: passwords[service] for service in SERVICES})
    write_lines(sys.stdout, f"The replica set {SET!r} has the primary {primary!r} and a user for each service.")


def connect_as_admin(node: str, password: str, previous: str) -> Client:
    """Connect to this node directly, as admin; ends the program when MongoDB rejects both passwords.

    After a rotation MongoDB still has the previous password until `set_users` has run.
    """
    for candidate in filter(None, (password, previous)):
        client: Client = MongoClient(
            f"mongodb://{node}/?directConnection=true",
            username=ADMIN,
            password=candidate,
            authSource=AUTH_DATABASE,
            serverSelectionTimeoutMS=SERVER_SELECTION_MS,
        )
        try:
            client.admin.command("ping")
        except PyMongoError as error:
            client.close()
            if not refuses_login(error):
                raise
        else:
            return client
    sys.exit(f"MongoDB at {node!r} rejects the password of its user {ADMIN!r}, and the previous password too.")


def initiate(node: Client, members: Sequence[str]) -> None:
    """Initiate the replica set, unless the node already belongs to one."""
    try:
        node.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        hosts = [{"_id": number, "host": host} for number, host in enumerate(members)]
        node.admin.command("replSetInitiate", {"_id": SET, "members": hosts})


def await_primary(node: Client, limit_s: float = PRIMARY_S) -> None:
    """Wait until the set has a primary; ends the program when it has none within `limit_s`."""
    until = time.monotonic() + limit_s
    while "primary" not in node.admin.command("hello"):
        if time.monotonic() > until:
            sys.exit(f"The replica set {SET!r} has had no primary for {limit_s:.0f} s: check that all its nodes run.")
        time.sleep(0.5)


def set_users(primary: Client, admin_password: str, services: Mapping[str, str]) -> None:
    """Set the passwords of admin and services, and give each service readWrite on its own database only."""
    database = primary[AUTH_DATABASE]
    known = {one["user"] for one in database.command("usersInfo")["users"]}
    for service, password in services.items():
        roles = [{"role": "readWrite", "db": f"chorus_{service}"}]
        database.command("updateUser" if service in known else "createUser", service, pwd=password, roles=roles)
    if not database.command("rolesInfo", ANY_ACTION_ROLE)["roles"]:
        allowed = [{"resource": {"anyResource": True}, "actions": ["anyAction"]}]
        database.command("createRole", ANY_ACTION_ROLE, privileges=allowed, roles=[])
    roles = [{"role": role, "db": AUTH_DATABASE} for role in ("root", ANY_ACTION_ROLE)]
    database.command("updateUser", ADMIN, pwd=admin_password, roles=roles)


def _read(secrets: Path, name: str) -> str:
    return (secrets / f"mongo-{name}").read_text("utf-8").strip()


if __name__ == "__main__":
    main(sys.argv[1:])
