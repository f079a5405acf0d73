"""Changes the city: stores each change as a revision, then publishes it to `city.directory` for every service."""

import asyncio
from collections.abc import Callable
from datetime import date
from itertools import count

from services.router.desk.city_requests import Sent, contradictory
from services.router.domain.city_index import CityIndex
from services.router.domain.staff import StaffUser
from services.router.stores.store import RouterStore
from shared.city import CITY_BYTES_MAX, City, CityError, Department, merge, put_department
from shared.city.calendars import PublicHolidays, countries
from shared.city.public_holidays import newest, public_holidays
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
TURNS_BETWEEN_PROVISIONING = 12


class CityDesk:
    def __init__(self, store: RouterStore, publisher: Publisher, city: CityFeed[CityIndex], settings: Settings) -> None:
        self.store = store
        self.publisher = publisher
        self.city = city
        self.settings = settings

    async def apply(self, applied: City, who: StaffUser, *, texts_of_folder: bool = False) -> City:
        """Apply a whole city. Replaces rules, policies and calendars; adds and updates departments, but removes none.

        Text modules that the desk wrote stay, with `texts_of_folder` only those that the folder does not have.

        The revision gets the public holidays that are known today, so that it means the same for ever.
        """
        known = known_holidays(applied, timestamps.now().date())

        def change(current: City | None) -> City:
            holidays = newest(known, current.public_holidays if current else ())
            merged = merge(current, applied, texts_of_folder=texts_of_folder)
            return merged.model_copy(update={"public_holidays": holidays})

        return await self.revise(change, who, applied)

    async def put_department(self, department: Department, who: StaffUser) -> City:
        """Add or update a department. Raises Problem 409 before the first city is applied."""
        return await self.revise(lambda current: put_department(required(current), department), who, department)

    async def revise(
        self, change: Callable[[City | None], City], who: StaffUser | None, sent: Sent | None = None
    ) -> City:
        """Store and publish the revision that `change` makes of the current city; returns the city in force.

        `who` is None for a revision that no person makes.

        Creates topics first, so that the topics of every stored revision exist. Makes no revision when nothing changes.
        Safe to repeat. Raises Problem 422 for a contradiction, or for a city that exceeds CITY_BYTES_MAX.
        """
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
            if await self.store.revisions.add(revised, who):
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
        """Publish a revision that a crash has left stored and not published. Runs forever.

        Once a minute it also creates missing topics again, because the core cannot publish while an inbox is missing.
        """
        for turn in count():
            latest = await self.store.revisions.latest()
            if latest is not None and turn % TURNS_BETWEEN_PROVISIONING == 0:
                await self._provision(latest)
            known = self.city.city.revision if self.city.city else 0
            if latest is not None and latest.revision > known:
                await self._provision(latest)
                await self._publish(latest)
            await asyncio.sleep(CITY_EVERY_S)


def known_holidays(city: City, today: date) -> list[PublicHolidays]:
    """What is known about the public holidays that the city's policies need."""
    wanted = countries(city.calendars, city.time_zone, [one.calendar for one in city.policies])
    return [public_holidays(one, today) for one in wanted]


def required(current: City | None) -> City:
    """The current city. Raises Problem 409 before the first city is applied."""
    if current is None:
        raise Problem(409, "No city has been applied yet; apply one first.")
    return current
