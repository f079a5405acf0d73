"""Kafka ACLs of services match the topics and groups that they register."""

import pytest

from deploy.kafka_admin.rights import SERVICE_RIGHTS
from shared.contracts.sources import SERVICES
from shared.kafka import topics
from shared.service.service import Service
from tests.contract.test_flow import general, made, writes


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Service:
    return made(request.param, tmp_path_factory.mktemp("secrets"))


def granted(service: Service, operation: str, kind: str) -> set[str]:
    rights = SERVICE_RIGHTS[service.name]
    return {one.name for one in rights if (one.operation, one.kind, one.prefixed) == (operation, kind, False)}


def test_a_service_may_read_exactly_its_topics_with_its_groups(service: Service) -> None:
    options = [one.options for one in service.subscriptions]
    letters = set(map(topics.dead_letters, SERVICES)) if service.name == "router" else set()
    assert granted(service, "READ", "TOPIC") == {topic for one in options for topic in one.topics} | letters
    assert granted(service, "READ", "GROUP") == {one.group for one in options if one.group}


def test_a_service_may_write_exactly_its_topics(service: Service) -> None:
    registered = {topic for topic in writes(service) if not topic.startswith("departments.")}
    assert set(map(general, granted(service, "WRITE", "TOPIC"))) == registered
