"""No topic makes the broker unpack what others have packed, and each takes the largest record of its kind."""

from shared.kafka import topics
from shared.kafka.topics import MIB, department_topics, system_topics


def config(name: str) -> dict[str, str]:
    made = (*system_topics(6, 90), *department_topics(["water"], 90))
    [found] = [one.config() for one in made if one.name == name]
    return found


def test_the_broker_unpacks_nothing_to_compress_it_anew() -> None:
    """It would do so in its own memory, whatever a department has packed."""
    made = (*system_topics(6, 90), *department_topics(["water"], 90))
    assert {one.config()["compression.type"] for one in made} == {"producer"}


def test_what_a_topic_holds_fits_into_the_topic_that_follows_it() -> None:
    sizes = [topics.outbox("water"), topics.INPUTS, topics.RESIDENTS, topics.dead_letters("router")]
    assert [int(config(name)["max.message.bytes"]) // MIB for name in sizes] == [1, 4, 8, 10]
    assert (
        config(topics.replays("router"))["max.message.bytes"]
        == config(topics.dead_letters("router"))["max.message.bytes"]
    )
