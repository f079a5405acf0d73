"""Follows `city.directory`: the newest revision of the city, compiled for its reader."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from shared.city import City
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.failures import DependencyUnavailable
from shared.kafka.records import Record
from shared.kafka.topic_reader import topic_reader
from shared.runtime.logging import log
from shared.runtime.settings import Settings

CITY_REVISED = "chorus.city.revised"
Compiled = TypeVar("Compiled")


class CityFeed(Generic[Compiled]):
    """The newest revision that this process has read. It awaits `on_change` after each new revision, again if that failed."""

    def __init__(self, compiled: Callable[[City], Compiled]) -> None:
        self._compile = compiled
        self._current: Compiled | None = None
        self.city: City | None = None
        self.on_change: Callable[[City], Awaitable[None]] | None = None
        self._announced: City | None = None

    def current(self) -> Compiled:
        """The newest revision, compiled. Raises DependencyUnavailable before the first one."""
        if self._current is None:
            raise DependencyUnavailable("city", "No city has been applied yet; run `chorus apply`.")
        return self._current

    def zone(self, settings: Settings) -> ZoneInfo:
        return settings.zone(self.city.time_zone if self.city else None)

    def use(self, city: City) -> None:
        """Use this revision, unless a newer one is in use."""
        if self.city is None or city.revision > self.city.revision:
            self._current = self._compile(city)
            self.city = city

    async def load(self, kafka: Connection) -> None:
        """Read the topic to its end, so that no record is handled with an older revision. Raises KafkaError."""
        async with topic_reader(kafka) as reader:
            for partition, offsets in (await reader.offset_ranges([topics.CITY])).items():
                async for records, _ in reader.records(partition, offsets.first, offsets.end):
                    await self.follow([city for one in records if (city := read_city(one)) is not None])

    async def follow(self, revisions: Sequence[City]) -> None:
        """The handler of the subscription. Safe to repeat: an older revision changes nothing."""
        for city in revisions:
            self.use(city)
        if self.city is not None and self.city is not self._announced and self.on_change is not None:
            await self.on_change(self.city)
            self._announced = self.city

    async def known(self) -> str | None:
        """A readiness check: a sentence until the first revision is read."""
        return None if self.city is not None else "no city has been applied yet; run `chorus apply`"


def read_city(record: Record) -> City | None:
    """Read a revision of the city. An invalid one is logged and skipped (None)."""
    # Not a dead letter: every process reads the whole topic at each start and would write one each time.
    if record.unreadable:
        log.error("skipped an invalid revision of the city", record=record.place, unreadable=record.unreadable)
    if record.value is None:
        return None
    try:
        return City.model_validate_json(record.value)
    except ValidationError as error:
        log.error("skipped an invalid revision of the city", record=record.place, problems=error.error_count())
        return None
