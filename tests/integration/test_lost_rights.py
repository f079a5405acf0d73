"""A service that loses a Kafka ACL reports it, and recovers once it has the ACL again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.cli import kafka_login
from deploy.cli.console import Options, options
from deploy.kafka_admin.access import Access
from deploy.kafka_admin.rights import SERVICE_RIGHTS, Right
from shared.kafka import topics
from tests.backing import Backing
from tests.conftest import RunningStack, chorus_up
from tests.integration.outside import Resident
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.integration
LIGHT = {"subject": "路灯不亮", "body": "小区门口的路灯坏了，晚上很黑。", "language": "zh"}


class Guarded:
    """A stack with `--secure`, and its Kafka admin."""

    def __init__(self, stack: RunningStack, access: Access) -> None:
        self.file, self.access = stack.data / "stack.json", access

    @property
    def found(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.file.read_text())
        return told

    def ready(self, service: str) -> tuple[bool, str]:
        """The response of `/readyz`; empty while the service does not answer."""
        try:
            told = httpx.get(f"{self.found['urls'][service]}/readyz", timeout=PATIENCE_S).json()
        except httpx.TransportError:
            return False, ""
        return told["ready"], "; ".join(told["reasons"])

    def take(self, service: str, right: Right) -> None:
        self.access.set_acls({service: SERVICE_RIGHTS[service] - {right}})

    def give_back(self, service: str) -> None:
        self.access.set_acls({service: SERVICE_RIGHTS[service]})


@pytest.fixture(scope="module")
def guarded(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A stack with its own broker and store. `running` skips it where it cannot run."""
    with chorus_up(tmp_path_factory.mktemp("guarded"), {}, "--secure") as stack:
        options.data = Path(stack.data)
        try:
            yield Guarded(stack, Access(kafka_login.admin()))
        finally:
            vars(options).update(vars(Options()))


@pytest.mark.parametrize(
    "right", [Right("READ", "GROUP", "scorer"), Right("READ", "TOPIC", topics.EVENTS)], ids=lambda one: one.kind
)
def test_losing_a_right_to_read_ends_the_process_until_it_is_restored(guarded: Guarded, right: Right) -> None:
    before = guarded.found["pids"]["scorer"]
    guarded.take("scorer", right)
    Resident(guarded.found["urls"]["intake"]).write(LIGHT)
    until(lambda: bool(guarded.found["pids"]["scorer"] not in (None, before)), "the process goes on without the right")
    until(lambda: "does not let scorer read" in guarded.ready("scorer")[1], "nobody says why")
    assert not guarded.ready("scorer")[0]
    guarded.give_back("scorer")
    until(lambda: guarded.ready("scorer")[0], "it does not heal")


def test_losing_a_right_to_write_is_reported_and_loses_nothing(guarded: Guarded) -> None:
    resident = Resident(guarded.found["urls"]["intake"])
    guarded.take("intake", Right("WRITE", "TOPIC", topics.INPUTS))
    receipt = resident.write(LIGHT)
    sentence = "Kafka refuses what intake writes: TopicAuthorizationFailedError"
    until(lambda: sentence in guarded.ready("intake")[1], "nobody says that it is refused")
    assert guarded.ready("intake")[0], "residents can write"
    told = httpx.get(f"{guarded.found['urls']['intake']}/metrics", timeout=PATIENCE_S).text
    [count] = [line for line in told.splitlines() if line.startswith("chorus_producer_renewals_total{")]
    assert float(count.split()[-1]) > 0
    guarded.give_back("intake")
    resident.wait_for(receipt, "assigned")
    until(lambda: sentence not in guarded.ready("intake")[1], "what is over is still told")
