"""The city as the desk changes it: each change is a revision, stored once, then published to every service."""

import asyncio
from collections.abc import Callable
from itertools import count

from services.router.desk.city_requests import contradictory
from services.router.domain.city_index import CityIndex
from services.router.stores.store import RouterStore
from shared.city import CITY_BYTES_MAX, City, CityError, Department, merge, put_department
from shared.contracts import ids
from shared.contracts.envelope import Message, Origin
from shared.contracts.sources import ROUTER_SOURCE
from shared.http.problems import Problem
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.publisher import Publisher
from shared.kafka.topic_admin import create_topics
from shared.kafka.topics import department_topics, system_topics
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.service.city_feed import CITY_REVISED, CityFeed

CITY_EVERY_S = 5.0
TOPICS_EVERY = 12


class CityDesk:
    """Applies, changes and publishes the city."""

    def __init__(self, store: RouterStore, publisher: Publisher, city: CityFeed[CityIndex], settings: Settings) -> None:
        self.store = store
        self.publisher = publisher
        self.city = city
        self.settings = settings

    async def apply(self, applied: City) -> City:
        """Take a whole city: rules and policies are replaced, departments added and updated, none removed."""
        return await self.revise(lambda current: merge(current, applied), applied)

    async def put_department(self, department: Department) -> City:
        """Add a department, or update it."""

        def change(current: City | None) -> City:
            if current is None:
                raise Problem(409, "No city has been applied yet; apply one first.")
            return put_department(current, department)

        return await self.revise(change, department)

    async def revise(self, change: Callable[[City | None], City], sent: City | Department | None = None) -> City:
        """The next revision, unless nothing changes: topics first, then the record, then the word to everyone."""
        while True:
            current = await self.store.revisions.latest()
            try:
                changed = change(current)
            except CityError as error:
                raise contradictory(error, current, sent) from error
            if current is not None and changed.model_copy(update={"revision": current.revision}) == current:
                await self._provision(current)
                return current
            newest = max(current.revision if current else 0, self.city.city.revision if self.city.city else 0)
            revised = changed.model_copy(update={"revision": newest + 1})
            if (size := len(revised.model_dump_json().encode())) > CITY_BYTES_MAX:
                raise Problem(422, f"The city has {size} bytes; a revision can have at most {CITY_BYTES_MAX}.")
            await self._provision(revised)
            if await self.store.revisions.add(revised):
                await self._publish(revised)
                return revised

    async def _provision(self, city: City) -> None:
        codes = [department.code for department in city.departments]
        days = self.settings.retention_days
        wanted = (*system_topics(self.settings.partitions, days), *department_topics(codes, days))
        await create_topics(Connection.of(self.settings), wanted, self.settings.replication)

    async def _publish(self, city: City) -> None:
        revised = Message(
            topic=topics.CITY,
            key="city",
            id=ids.named_id(f"city/{city.revision}"),
            type=CITY_REVISED,
            origin=Origin(ROUTER_SOURCE, "city", timestamps.to_text(timestamps.now())),
            value=city.model_dump_json().encode(),
            sequence=city.revision,
        )
        await self.publisher.publish([revised])

    async def keep_published(self) -> None:
        """Publish a revision that was stored but, after a crash, never told; run it for ever.

        Now and then topics that somebody has removed are made again: a missing inbox would hold everybody up.
        """
        for turn in count():
            latest = await self.store.revisions.latest()
            if latest is not None and turn % TOPICS_EVERY == 0:
                await self._provision(latest)
            known = self.city.city.revision if self.city.city else 0
            if latest is not None and latest.revision > known:
                await self._provision(latest)
                await self._publish(latest)
            await asyncio.sleep(CITY_EVERY_S)
