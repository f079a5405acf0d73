"""Which revision of the city a process uses right after its start."""

import pytest

from shared.city import City
from shared.kafka.failures import DependencyUnavailable
from shared.service.city_feed import CityFeed
from tests.builders import CITY

OLD, NEW = (CITY.model_copy(update={"revision": number}) for number in (5, 6))


async def test_a_former_revision_is_not_used_while_newer_ones_are_unread() -> None:
    feed: CityFeed[City] = CityFeed(lambda revision: revision)
    unread = [OLD, NEW]

    async def behind() -> bool:
        return bool(unread)

    feed.behind = behind
    with pytest.raises(DependencyUnavailable):
        await feed.newest()
    await feed.follow([unread.pop(0)])
    with pytest.raises(DependencyUnavailable):
        await feed.newest()
    await feed.follow([unread.pop(0)])
    assert (await feed.newest()).revision == NEW.revision
    unread.append(CITY)
    assert (await feed.newest()).revision == NEW.revision, "a later revision does not stop a running process"


async def test_an_empty_topic_is_an_unavailable_city() -> None:
    feed: CityFeed[City] = CityFeed(lambda revision: revision)
    with pytest.raises(DependencyUnavailable, match="chorus apply"):
        await feed.newest()
