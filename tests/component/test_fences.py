"""Stretches of the list of cases: pages over them neither miss nor repeat a case, and read little."""

from datetime import timedelta
from typing import Any

import pytest

from services.router.stores import fences
from services.router.stores.case_rows import CaseRows, place_of
from services.router.stores.fences import Fences, fence_of
from shared.runtime import timestamps
from shared.store.mongo import Database
from tests.builders import MONDAY_NOON

COUNT = 40


def row(n: int) -> dict[str, Any]:
    inquiry_id = f"20260316-{n:08}"
    place = place_of(inquiry_id, timestamps.to_text(MONDAY_NOON + timedelta(minutes=n)))
    state = "triage" if n in (2, 30) else "assigned"
    return {"_id": inquiry_id, "sequence": 1, "state": state, "place": place, **fence_of(inquiry_id, place)}


@pytest.fixture
async def rows(database: Database, monkeypatch: pytest.MonkeyPatch) -> CaseRows:
    monkeypatch.setattr(fences, "CASES_BETWEEN", 3)
    monkeypatch.setattr("services.router.stores.case_rows.CASES_BETWEEN", 3)
    one = CaseRows(database)
    await one.prepare()
    await one.show([row(n) for n in range(COUNT)])
    return one


PLACES = [row(n)["place"] for n in range(COUNT)]


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
async def test_pages_in_both_directions_have_every_row_once(rows: CaseRows, limit: int) -> None:
    newest: list[str] = []
    while some := await rows.newest({}, newest[-1] if newest else None, limit):
        newest += [one["place"] for one in some]
    oldest: list[str] = []
    while some := await rows.oldest_first({}, f"{oldest[-1]}!" if oldest else "", limit):
        oldest += [one["place"] for one in some]
    assert (newest[::-1], oldest) == (PLACES, PLACES)


async def test_rows_that_a_filter_leaves_are_found_over_all_stretches(rows: CaseRows) -> None:
    triage = {"state": "triage"}
    assert [one["place"] for one in await rows.newest(triage, None, 5)] == [PLACES[30], PLACES[2]]
    assert [one["place"] for one in await rows.oldest_first(triage, "", 5)] == [PLACES[2], PLACES[30]]
    assert await rows.oldest(triage, PLACES[3], PLACES[30]) is None
    found = await rows.oldest(triage, PLACES[3], None)
    assert found is not None
    assert found["place"] == PLACES[30]


async def test_a_stretch_has_about_as_many_rows_as_asked_for(rows: CaseRows) -> None:
    floor = await rows.fences.floor(None, 9)
    assert 0 < sum(one >= floor for one in PLACES) <= COUNT // 2
    assert await rows.fences.floor(floor, 9) < floor
    assert await rows.fences.floor(None, 10_000) == ""
    ceiling = await rows.fences.ceiling("", 9)
    assert ceiling is not None
    assert 0 < sum(one < ceiling for one in PLACES) <= COUNT // 2
    assert await rows.fences.ceiling("", 10_000) is None


async def test_fences_that_come_later_are_known_at_once_and_late_ones_after_a_while(
    rows: CaseRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Fences(rows.collection)
    newest = await known.floor(None, 1)
    await rows.show([row(n) for n in range(COUNT, 2 * COUNT)])
    assert await known.floor(None, 1) > newest
    early = {"_id": "early", "sequence": 1, "place": "2026-01-01", "fence": "2026-01-01"}
    await rows.collection.insert_one(early)
    assert await known.ceiling("", 1) != "2026-01-01"
    later = timestamps.now() + timedelta(hours=1)
    monkeypatch.setattr(timestamps, "now", lambda: later)
    assert await known.ceiling("", 1) == "2026-01-01"
