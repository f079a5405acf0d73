"""The one-shot that initiates the replica set and creates its users, against a store that requires a login."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from pymongo.errors import OperationFailure

from deploy import replica_set
from deploy.replica_set import Client
from shared.contracts.sources import SERVICES
from shared.store.mongo import close, connect, insert_new
from tests.backing import Backing
from tests.integration.guarded import Store, guarded

pytestmark = pytest.mark.integration


@pytest.fixture
def store(running: Backing, tmp_path: Path) -> Iterator[Store]:
    """The state of a new node: only the first user exists."""
    secrets = tmp_path / "run"
    secrets.mkdir()
    with guarded(tmp_path, secrets, "first") as made:
        made.keep(admin="first", admin_before="", **{name: f"{name}-1" for name in SERVICES})
        yield made


async def test_each_service_can_access_only_its_own_database(store: Store) -> None:
    replica_set.main([store.address], store.secrets)
    replica_set.main([store.address], store.secrets)
    url = f"mongodb://{store.address}/?directConnection=true"
    for name in SERVICES:
        own = connect(url, f"chorus_{name}", **store.login(name))
        assert await insert_new(own["things"], [{"_id": 1}]) == set()
        await own["things"].create_index("when")
        other = "chorus_intake" if name == "router" else "chorus_router"
        with pytest.raises(OperationFailure, match="not authorized"):
            await own.client[other]["things"].find_one()
        await close(own)


def test_passwords_are_set_from_the_files_and_old_ones_are_rejected(store: Store) -> None:
    replica_set.main([store.address], store.secrets)
    store.keep(admin="second", admin_before="first", intake="intake-2")

    replica_set.main([store.address], store.secrets)
    assert store.lets_in("admin", "second")
    assert store.lets_in("intake", "intake-2")
    assert store.lets_in("router", "router-1")
    assert not store.lets_in("admin", "first")
    assert not store.lets_in("intake", "intake-1")


def test_a_wrong_admin_password_is_reported(store: Store) -> None:
    store.keep(admin="wrong", admin_before="also-wrong")
    with pytest.raises(SystemExit, match=r"rejects the password of its user 'admin', and the previous password too\."):
        replica_set.main([store.address], store.secrets)


@dataclass
class NewNode:
    """A node that belongs to no replica set; the local store is always a set of one."""

    admin: "NewNode" = field(init=False)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.admin = self

    def command(self, name: str, *words: Any) -> dict[str, Any]:
        """Answer as MongoDB does."""
        self.asked.append((name, *words))
        if name == "replSetGetStatus" and len(self.asked) == 1:
            raise OperationFailure("no replset config has been received", replica_set.NOT_YET_INITIALIZED)
        return {"primary": "mongo-1:27017"} if name == "hello" and len(self.asked) > 3 else {}


def test_the_replica_set_is_initiated_once_with_all_members() -> None:
    node = NewNode()
    members = ["mongo-1:27017", "mongo-2:27017", "mongo-3:27017"]
    replica_set.initiate(cast(Client, node), members)
    hosts = [{"_id": number, "host": host} for number, host in enumerate(members)]
    assert node.asked[1:] == [("replSetInitiate", {"_id": "chorus", "members": hosts})]

    replica_set.initiate(cast(Client, node), members)
    assert [name for name, *_ in node.asked].count("replSetInitiate") == 1
    replica_set.await_primary(cast(Client, node))


def test_a_set_without_a_primary_is_reported() -> None:
    with pytest.raises(SystemExit, match="has had no primary"):
        replica_set.await_primary(cast(Client, NewNode()), limit_s=0)
