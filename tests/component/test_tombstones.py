"""Tombstones on a real store."""

import asyncio

from shared.store.mongo import Database
from shared.store.tombstones import Tombstones
from tests.builders import INQUIRY

OTHER = "20260316-0000000B"


async def test_an_erasure_that_is_repeated_reaches_further_and_never_less_far(database: Database) -> None:
    tombstones = Tombstones(database["tombstones"])
    assert [await tombstones.set(INQUIRY, through) for through in (3, 5, 4)] == [3, 5, 5]
    assert await tombstones.through_of([INQUIRY, OTHER, INQUIRY]) == {INQUIRY: 5}
    assert await tombstones.through_of([]) == {}


async def test_erasures_at_the_same_time_end_at_the_furthest(database: Database) -> None:
    await asyncio.gather(*(Tombstones(database["tombstones"]).set(INQUIRY, through) for through in range(1, 9)))
    assert await Tombstones(database["tombstones"]).through_of([INQUIRY]) == {INQUIRY: 8}
