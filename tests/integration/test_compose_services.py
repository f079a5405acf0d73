"""The services of docker-compose.yml with their own commands and environment, each with its own users of Kafka and MongoDB."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from deploy import replica_set
from deploy.local.city import SAMPLE
from shared.contracts.sources import SERVICES
from tests.backing import Backing
from tests.compose.file import BROKERS
from tests.integration.composed import Composed, composed
from tests.integration.guarded import guarded
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration

CASE: dict[str, Any] = {
    "subject": "幸福路路灯不亮",
    "body": "三盏路灯坏了。",
    "public": True,
    "department": "urban-management",
}


@pytest.fixture(scope="module")
def town(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """One broker, one store, the four services and the sample city, started in the order of Compose."""
    root = tmp_path_factory.mktemp("town")
    shutil.copytree(SAMPLE, root / "city")
    given = {"CHORUS_REPLICATION": "1", "CHORUS_SMTP": running.smtp}
    with (
        composed(root, BROKERS["single"], given) as one,
        guarded(root, root / "mongo-set" / "run", admin_of(one)) as store,
    ):
        one.given = given | {"CHORUS_MONGODB": f"mongodb://{store.address}/?directConnection=true"}
        one.link("mongo-set")
        replica_set.main([store.address], store.secrets)
        done(one, "provision")
        one.serve(*SERVICES)
        until(lambda: healthy(one, "router"), one)
        done(one, "chorus", "apply", "/city")
        until(lambda: all(ready(one, name) for name in SERVICES), one)
        yield one


def test_a_message_is_answered_without_permission_errors(town: Composed) -> None:
    intake = f"http://{town.addresses['intake:8000']}"
    receipt = httpx.post(f"{intake}/inquiries", json=CASE, trust_env=False).raise_for_status().json()
    part = f"{receipt['inquiry_id']}-p1"
    until(lambda: town.run("chorus", "inbox", "urban-management", "show", part).returncode == 0, town)
    done(town, "chorus", "inbox", "urban-management", "contribute", part, "--text", "路灯已修复。")

    def answered() -> bool:
        told = httpx.get(
            f"{intake}/inquiries/{receipt['inquiry_id']}",
            headers={"X-Query-Code": receipt["query_code"]},
            trust_env=False,
        )
        return bool(told.json().get("state") == "answered")

    until(answered, town)
    assert CASE["subject"] not in get(town, "notifier", "/hall").text
    until(lambda: town.run("chorus", "hall", "publish", receipt["inquiry_id"]).returncode == 0, town)
    until(lambda: CASE["subject"] in get(town, "notifier", "/hall").text, town)
    assert all(ready(town, name) for name in SERVICES)
    assert done(town, "chorus", "dead-letters", "list") == []
    done(town, "chorus", "reconcile", "--dry-run")
    for name in SERVICES:
        assert "AuthorizationFailed" not in town.log(name)
        assert "not authorized" not in town.log(name)


def done(town: Composed, part: str, *words: str) -> Any:
    """Run a command that must succeed; returns its output."""
    ran = town.run(part, *words)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def admin_of(town: Composed) -> str:
    """The password of the store's first user."""
    return (town.secrets / "mongo" / "admin").read_text().strip()


def get(town: Composed, service: str, path: str) -> httpx.Response:
    return httpx.get(f"http://{town.addresses[f'{service}:8000']}{path}", trust_env=False, timeout=PATIENCE_S)


def healthy(town: Composed, service: str) -> bool:
    try:
        return get(town, service, "/healthz").is_success
    except httpx.TransportError:
        return False


def ready(town: Composed, service: str) -> bool:
    try:
        return get(town, service, "/readyz").is_success
    except httpx.TransportError:
        return False


def until(condition: Callable[[], bool], town: Composed) -> None:
    """Wait until the condition holds; fails with the output of a service that has ended."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        over = [name for name in SERVICES if name in town.running and town.running[name].poll() is not None]
        if over or time.monotonic() > end:
            raise AssertionError({name: town.log(name)[-1500:] for name in over or SERVICES})
        time.sleep(0.3)
