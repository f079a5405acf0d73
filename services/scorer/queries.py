"""The scoreboard: events gathered, scores computed, names put beside them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.scorer.domain.clocks import clocks
from services.scorer.domain.periods import Period
from services.scorer.domain.scoreboard import DepartmentCounts, line, rows
from services.scorer.store import ScorerStore
from shared.city import City
from shared.http.problems import Problem, shown
from shared.runtime import timestamps
from shared.service.city_feed import CityFeed


@dataclass
class ScoreQueries:
    """What the scorer's routes and pages do."""

    store: ScorerStore
    city: CityFeed[City]

    async def scoreboard(self, over: Period, as_of: datetime) -> dict[str, Any]:
        """Departments side by side over a period, as known at `as_of`: one line for each member."""
        facts = await self.store.facts(await self.store.inquiries_of(over))
        counted = await asyncio.to_thread(rows, list(facts.values()), over, as_of)
        city = self.city.city
        names: dict[str, Mapping[str, str]] = {code: {"zh": code, "en": code} for code in counted}
        names |= {one.code: one.name.model_dump() for one in (city.departments if city else ())}
        retired = {one.code for one in (city.departments if city else ()) if one.retired}
        return {
            "period": {"from": timestamps.to_text(over.start), "to": timestamps.to_text(over.end), "zone": over.zone},
            "policy_id": city.policies[0].id if city else None,
            "as_of": timestamps.to_text(as_of),
            "departments": [
                line(code, name, counted.get(code, DepartmentCounts()))
                for code, name in sorted(names.items())
                if code in counted or code not in retired
            ],
        }

    async def clocks(self, inquiry_id: str, as_of: datetime) -> list[dict[str, Any]]:
        """Every clock of an inquiry with its verdict. Raises Problem 404."""
        facts = (await self.store.facts([inquiry_id])).get(inquiry_id)
        if not facts:
            raise Problem(404, f"Nothing is known of an inquiry {shown(inquiry_id)}.")
        return [
            {
                "clock": one.clock,
                "part_id": one.part_id,
                "department": one.department,
                "started_at": timestamps.to_text(one.started_at),
                "due_at": timestamps.to_text(one.due_at),
                "stopped_at": timestamps.to_text(one.stopped_at) if one.stopped_at else None,
                "judged_at": timestamps.to_text(judged) if (judged := one.judged_at(as_of)) else None,
                "verdict": one.verdict(as_of),
            }
            for one in clocks(fact for fact in facts if fact.at <= as_of)
        ]
