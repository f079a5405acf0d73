"""Retired departments on the scoreboard: a row only in periods with counted events."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.scorer.domain.clocks import CaseFact
from services.scorer.domain.periods import Period, period
from services.scorer.queries import ScoreQueries
from shared.city import City, retire
from shared.kafka import topics
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import read_event
from tests.builders import CITY, received, record_of, told

MARCH = period("2026-03", ZoneInfo("Asia/Shanghai"))


class Store:
    """The events of one inquiry, offered to lighting."""

    async def inquiries_of(self, over: Period) -> list[str]:
        return ["one"]

    async def facts(self, inquiry_ids: list[str]) -> dict[str, list[CaseFact]]:
        read = [read_event(record_of(one)) for one in told(received("路灯")).messages if one.topic == topics.EVENTS]
        return {"one": [CaseFact(one.sequence, one.at, one.body) for one in read]}


async def test_a_retired_department_has_a_row_only_in_periods_with_events() -> None:
    city: CityFeed[City] = CityFeed(lambda revision: revision)
    city.use(retire(retire(CITY, "lighting"), "parks"))
    store: Any = Store()
    board = await ScoreQueries(store, city).scoreboard(MARCH, datetime.fromisoformat("2026-03-20T00:00:00Z"))
    lines = {one.code: one.volume.assigned for one in board.departments}
    assert lines["lighting"] == 1
    assert "parks" not in lines
    assert lines["water"] == 0
