"""Following the city: the newest revision on `city.directory`, compiled for its reader, live."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from shared.city import City
from shared.kafka.failures import DependencyUnavailable
from shared.kafka.records import Record
from shared.runtime.logging import log
from shared.runtime.settings import Settings

CITY_REVISED = "chorus.city.revised"
Compiled = TypeVar("Compiled")


class CityFeed(Generic[Compiled]):
    """The city in force, as this process knows it. `on_change` is awaited after each new revision."""

    def __init__(self, compiled: Callable[[City], Compiled]) -> None:
        self._compile = compiled
        self._current: Compiled | None = None
        self.city: City | None = None
        self.on_change: Callable[[City], Awaitable[None]] | None = None

    def current(self) -> Compiled:
        """The newest revision, compiled; raises Away while none has been seen."""
        if self._current is None:
            raise DependencyUnavailable("city", "No city has been applied yet; run `chorus apply`.")
        return self._current

    def zone(self, settings: Settings) -> ZoneInfo:
        """The zone in which this city counts its days."""
        return settings.zone(self.city.time_zone if self.city else None)

    def use(self, city: City) -> None:
        """Take a revision, unless a newer one is known."""
        if self.city is None or city.revision > self.city.revision:
            self._current = self._compile(city)
            self.city = city

    async def follow(self, revisions: Sequence[City]) -> None:
        """The handler of the subscription; safe to repeat, an older revision changes nothing."""
        before = self.city
        for city in revisions:
            self.use(city)
        if self.city is not None and self.city is not before and self.on_change is not None:
            await self.on_change(self.city)

    async def known(self) -> str | None:
        """A readiness check: a sentence while no city is known."""
        return None if self.city is not None else "no city has been applied yet; run `chorus apply`"


def read_city(record: Record) -> City | None:
    """A revision from its record; None for what is none, which is logged."""
    # Every process reads the whole topic at every start: a dead letter each time would tell nothing new.
    if record.unreadable:
        log.error("a record is no city", place=record.place, unreadable=record.unreadable)
    if record.value is None:
        return None
    try:
        return City.model_validate_json(record.value)
    except ValidationError as error:
        log.error("a record is no city", place=record.place, problems=error.error_count())
        return None
