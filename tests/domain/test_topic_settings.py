"""Topic settings: the broker never recompresses records, and record sizes fit from topic to topic."""

from shared.kafka import topics
from shared.kafka.topics import MIB, department_topics, system_topics


def config(name: str) -> dict[str, str]:
    made = (*system_topics(6, 90), *department_topics(["water"], 90))
    [found] = [one.config() for one in made if one.name == name]
    return found


def test_the_broker_recompresses_no_topic() -> None:
    """It would decompress the batches in its own memory, whatever their size."""
    created = (*system_topics(6, 90), *department_topics(["water"], 90))
    assert {one.config()["compression.type"] for one in created} == {"producer"}


def test_records_fit_into_the_next_topic_of_the_flow() -> None:
    sizes = [topics.outbox("water"), topics.INPUTS, topics.RESIDENTS, topics.dead_letters("router")]
    assert [int(config(name)["max.message.bytes"]) // MIB for name in sizes] == [1, 4, 8, 10]
    assert (
        config(topics.replays("router"))["max.message.bytes"]
        == config(topics.dead_letters("router"))["max.message.bytes"]
    )
