"""Computes the scoreboard and the clocks of an inquiry from stored events."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.scorer.domain.clocks import clocks
from services.scorer.domain.holdings import holdings
from services.scorer.domain.periods import Period
from services.scorer.domain.scoreboard import DepartmentCounts, rows
from services.scorer.responses import ClockShown, DepartmentScores, PeriodBounds, Scoreboard
from services.scorer.store import ScorerStore
from shared.city import City, Name
from shared.city.policies import PartCircumstances, policy_for
from shared.http.problems import Problem, shown
from shared.runtime import timestamps
from shared.service.city_feed import CityFeed


@dataclass
class ScoreQueries:
    store: ScorerStore
    city: CityFeed[City]

    async def scoreboard(self, over: Period, as_of: datetime) -> Scoreboard:
        """The scoreboard of a period, from events up to `as_of`: a row for each department that is active or has counts.

        Departments are in the city's own order; codes that the city does not know follow.
        """
        facts = await self.store.facts(await self.store.inquiries_of(over))
        counted = await asyncio.to_thread(rows, list(facts.values()), over, as_of)
        city = self.city.city
        departments = city.departments if city else ()
        # Not validated: an event may have a department code that the rules for city files do not allow.
        unknown = sorted(counted.keys() - {one.code for one in departments})
        names = {one.code: one.name for one in departments}
        names |= {code: Name.model_construct(zh=code, en=code) for code in unknown}
        retired = {one.code for one in departments if one.retired}
        return Scoreboard(
            period=PeriodBounds.of(over),
            policy_id=_general_policy(city, as_of.astimezone(ZoneInfo(over.zone)).date()) if city else None,
            as_of=timestamps.to_text(as_of),
            departments=[
                DepartmentScores.of(code, name, counted.get(code, DepartmentCounts()))
                for code, name in names.items()
                if code in counted or code not in retired
            ],
        )

    async def clocks(self, inquiry_id: str, as_of: datetime) -> list[ClockShown]:
        """Every clock of an inquiry with its verdict at `as_of`. Raises Problem 404."""
        facts = (await self.store.facts([inquiry_id])).get(inquiry_id)
        if not facts:
            raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")
        counted = [fact for fact in facts if fact.at <= as_of]
        held = holdings(counted)
        return [ClockShown.of(one, as_of, held.get(one.part_id)) for one in clocks(counted)]


def _general_policy(city: City, day: date) -> str:
    """The policy for a part that meets no condition of another policy."""
    return policy_for(city.policies, PartCircumstances(day, channel="", department="")).id
