"""The README's flow table equals the topics that the services register and that provisioning creates."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from services.intake import app as intake
from services.notifier import app as notifier
from services.router import app as router
from services.scorer import app as scorer
from shared.kafka import topics
from shared.runtime.settings import Settings
from shared.service.service import Service
from tests.consumers import consumer_made_for

README = Path(__file__).parents[2] / "README.md"
APPS = {"intake": intake, "router": router, "notifier": notifier, "scorer": scorer}
DEAD_LETTERS = "<service>.dead-letters"
REPLAYS = "<service>.replays"


@pytest.fixture(scope="module", params=sorted(APPS))
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Service:
    return made(request.param, tmp_path_factory.mktemp("secrets"))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Service]:
    return {name: made(name, tmp_path_factory.mktemp("secrets")) for name in APPS}


def made(name: str, folder: Path) -> Service:
    secret = folder / "secret"
    secret.write_text("a secret that is long enough to be one")
    files = str(folder / "files")
    service: Service = APPS[name].make(Settings(secret_file=secret, operator_token_file=secret, files=files))
    return service


def flow() -> dict[str, dict[str, str]]:
    """The README's flow table: writers and readers by topic."""
    lines = README.read_text(encoding="utf-8").splitlines()
    heads = [n for n, one in enumerate(lines) if {"topic", "written by"} <= set(cells(one))]
    assert heads, "README has no table whose header is | topic | written by | read by (group) | settings |"
    table: dict[str, dict[str, str]] = {}
    for one in lines[heads[0] + 2 :]:
        if not one.startswith("|"):
            break
        row = cells(one)
        for topic in re.findall(r"`([^`]+)`", row[0]):
            table[topic] = {"writers": row[1], "readers": row[2]}
    return table


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def general(topic: str) -> str:
    """The name of a topic with placeholders, as in the table."""
    if topic == topics.OUTBOXES:
        return "departments.<code>.outbox"
    if topic.endswith(".dead-letters"):
        return DEAD_LETTERS
    if topic.endswith(".replays"):
        return REPLAYS
    return re.sub(r"^departments\.[^.]+\.", "departments.<code>.", topic)


def reads(service: Service) -> dict[str, str | None]:
    """The topics that a service reads, with their groups."""
    return {
        general(topic): one.group
        for one in (subscription.options for subscription in service.subscriptions)
        for topic in (*one.topics, *([one.pattern] if one.pattern else []))
    }


def channels(service: Service, action: str) -> set[str]:
    """The topics in a service's AsyncAPI document."""
    document = service.asyncapi()
    found = (
        one["channel"]["$ref"].rpartition("/")[2] for one in document["operations"].values() if one["action"] == action
    )
    named = {quoted(name): channel["address"] for name, channel in document["channels"].items()}
    return {general(named[one]) for one in found}


def quoted(name: str) -> str:
    """A channel name escaped for a JSON reference."""
    return quote(name, safe=":.{}*").replace("{", "%7B").replace("}", "%7D")


def writes(service: Service) -> set[str]:
    return channels(service, "send")


def test_services_read_the_topics_of_the_table(services: dict[str, Service]) -> None:
    table = flow()
    for name, one in services.items():
        for topic, group in reads(one).items():
            readers = table[topic]["readers"].replace("<service>", name)
            assert (group and f"`{group}`" in readers) or "every service" in readers, (name, topic, group)


def test_every_group_of_the_table_is_used(services: dict[str, Service]) -> None:
    known = {(topic, group) for one in services.values() for topic, group in reads(one).items() if group}
    for topic, row in flow().items():
        if topic in (DEAD_LETTERS, REPLAYS) or (topic.endswith(".inbox") and topic.startswith("departments.")):
            continue
        groups = re.findall(r"`([^`]+)`", row["readers"])
        assert {(topic, group) for group in groups} == {one for one in known if one[0] == topic}


def test_services_write_the_topics_of_the_table(services: dict[str, Service]) -> None:
    table = flow()
    for name, one in services.items():
        for topic in writes(one) - {DEAD_LETTERS}:
            assert name in table[topic]["writers"], (name, topic)
    for topic, row in table.items():
        for name, one in services.items():
            if re.search(rf"\b{name}\b", row["writers"]):
                assert topic in writes(one), (name, topic)


def test_every_reading_service_has_its_own_dead_letter_topic(service: Service) -> None:
    assert reads(service)
    assert DEAD_LETTERS in writes(service)
    assert topics.dead_letters(service.name) in {one.name for one in topics.system_topics(6, 90)}
    assert {one.options.service for one in service.subscriptions} == {service.name}


def test_provisioning_creates_exactly_the_topics_of_the_table() -> None:
    names = [one.name for one in (*topics.system_topics(6, 90), *topics.department_topics(["roads"], 90))]
    assert len(set(names)) == len(names)
    assert {general(name) for name in names} == set(flow())


def test_topics_have_the_settings_of_the_table() -> None:
    by_name = {one.name: one for one in (*topics.system_topics(6, 90), *topics.department_topics(["roads"], 90))}
    for one in by_name.values():
        assert one.config()["message.timestamp.type"] == "LogAppendTime"
    assert by_name[topics.CITY].config()["cleanup.policy"] == "compact"
    assert by_name[topics.CITY].partitions == by_name[topics.outbox("roads")].partitions == 1
    assert by_name[topics.EVENTS].config()["retention.ms"] == "-1"
    assert by_name[topics.INPUTS].partitions == by_name[topics.RESIDENTS].partitions == 6
    kept = {one.name for one in by_name.values() if one.config()["retention.ms"] != str(90 * 86_400_000)}
    assert kept == {topics.CITY, topics.EVENTS}
    letter = by_name[topics.dead_letters("router")]
    assert all(letter.record_mib >= one.record_mib for one in by_name.values())


def test_the_asyncapi_document_lists_every_topic_that_the_service_reads(service: Service) -> None:
    assert channels(service, "receive") == set(reads(service))


async def test_subscriptions_start_at_the_earliest_offset_and_commit_manually(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in service.subscriptions:
        made = await consumer_made_for(one, service.broker, monkeypatch)
        assert (made._enable_auto_commit, made._auto_offset_reset) == (False, "earliest"), one.options.name
        assert made._group_id == one.options.group
        assert one.options.service == service.name


def test_subscriptions_of_a_service_have_different_groups(service: Service) -> None:
    groups = [one.options.group for one in service.subscriptions if one.options.group]
    assert len(set(groups)) == len(groups)
