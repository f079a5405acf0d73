"""Keeps the public holidays in the city's revisions up to date, and measures how far they reach."""

import asyncio
from datetime import date

from services.router.desk.city_revisions import CityDesk, known_holidays, required
from services.router.domain.city_index import CityIndex
from shared.city import City
from shared.city.public_holidays import extended
from shared.http.problems import Problem
from shared.runtime import timestamps
from shared.runtime.logging import log
from shared.runtime.metrics import CALENDAR_KNOWN_UNTIL
from shared.service.city_feed import CityFeed

REFRESH_EVERY_S = 3_600.0
MEASURE_EVERY_S = 15.0


class CalendarDays:
    def __init__(self, city_desk: CityDesk, city: CityFeed[CityIndex]) -> None:
        self.city_desk = city_desk
        self.city = city

    async def keep_up_to_date(self) -> None:
        """Make a revision when more public holidays are known than in the city in force. Runs forever.

        They become known with a new release of Chorus; other countries' holidays of one more year each January.
        """
        while True:
            await self.refresh(timestamps.now().date())
            await asyncio.sleep(REFRESH_EVERY_S)

    async def refresh(self, today: date) -> None:
        """Make a revision if public holidays that were unknown so far are known today."""
        latest = await self.city_desk.store.revisions.latest()
        if latest is None:
            return
        known = known_holidays(latest, today)

        def change(current: City | None) -> City:
            city = required(current)
            return city.model_copy(update={"public_holidays": extended(known, city.public_holidays)})

        if change(latest) == latest:
            return
        try:
            await self.city_desk.revise(change, None)
        except Problem as problem:
            # The city works without them, and only an operator can make it smaller.
            log.error("the new public holidays are not stored", why=problem.detail)

    async def measure(self) -> None:
        """Export until when the public holidays of the policies' calendars are known. Runs forever."""
        while True:
            if self.city.city is not None:
                CALENDAR_KNOWN_UNTIL.set(known_until_s(self.city.current()))
            await asyncio.sleep(MEASURE_EVERY_S)


def known_until_s(directory: CityIndex) -> float:
    """The first moment without announced public holidays, of all calendars that policies name; 0 if none has an end."""
    named = [directory.calendars[one] for one in {policy.calendar for policy in directory.city.policies}]
    ends = [one.known_until_ms for one in named if one.known_until_ms is not None]
    return min(ends, default=0) / 1_000
