"""Tombstones of erased inquiries on a real store."""

import asyncio

from shared.store.mongo import Database
from shared.store.tombstones import Tombstones
from tests.builders import INQUIRY

OTHER = "20260316-0000000B"


async def test_a_repeated_erasure_only_raises_the_limit(database: Database) -> None:
    tombstones = Tombstones(database["tombstones"])
    assert [await tombstones.set(INQUIRY, through) for through in (3, 5, 4)] == [3, 5, 5]
    assert await tombstones.through_of([INQUIRY, OTHER, INQUIRY]) == {INQUIRY: 5}
    assert await tombstones.through_of([]) == {}


async def test_concurrent_erasures_keep_the_highest_limit(database: Database) -> None:
    await asyncio.gather(*(Tombstones(database["tombstones"]).set(INQUIRY, through) for through in range(1, 9)))
    assert await Tombstones(database["tombstones"]).through_of([INQUIRY]) == {INQUIRY: 8}
