"""The scoreboard: events gathered, scores computed, names put beside them."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from services.scorer.domain.clocks import clocks
from services.scorer.domain.periods import Period
from services.scorer.domain.scoreboard import DepartmentCounts, rows
from services.scorer.responses import ClockShown, DepartmentScores, PeriodBounds, Scoreboard
from services.scorer.store import ScorerStore
from shared.city import City, Name
from shared.http.problems import Problem, shown
from shared.runtime import timestamps
from shared.service.city_feed import CityFeed


@dataclass
class ScoreQueries:
    """What the scorer's routes and pages do."""

    store: ScorerStore
    city: CityFeed[City]

    async def scoreboard(self, over: Period, as_of: datetime) -> Scoreboard:
        """Departments side by side over a period, as known at `as_of`: one line for each member."""
        facts = await self.store.facts(await self.store.inquiries_of(over))
        counted = await asyncio.to_thread(rows, list(facts.values()), over, as_of)
        city = self.city.city
        departments = city.departments if city else ()
        # Not validated: the code in an event may be one that no city's files allow.
        names = {code: Name.model_construct(zh=code, en=code) for code in counted}
        names |= {one.code: one.name for one in departments}
        retired = {one.code for one in departments if one.retired}
        return Scoreboard(
            period=PeriodBounds.of(over),
            policy_id=city.policies[0].id if city else None,
            as_of=timestamps.to_text(as_of),
            departments=[
                DepartmentScores.of(code, name, counted.get(code, DepartmentCounts()))
                for code, name in sorted(names.items(), key=lambda one: one[0])
                if code in counted or code not in retired
            ],
        )

    async def clocks(self, inquiry_id: str, as_of: datetime) -> list[ClockShown]:
        """Every clock of an inquiry with its verdict. Raises Problem 404."""
        facts = (await self.store.facts([inquiry_id])).get(inquiry_id)
        if not facts:
            raise Problem(404, f"Nothing is known of an inquiry {shown(inquiry_id)}.")
        return [ClockShown.of(one, as_of) for one in clocks(fact for fact in facts if fact.at <= as_of)]
