"""Erases an inquiry in the router's database, when the event that says so has been published."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.router.dead_letters.index import DeadLetterIndex
from services.router.desk.case_list import ERASED_THROUGH, CaseList
from services.router.files.case_files import CaseFiles
from services.router.stores.store import RouterStore
from shared.ledger.ledger import Ledger
from shared.runtime import timestamps
from shared.store.mongo import Document


async def erase(
    store: RouterStore,
    commands: Ledger,
    letters: DeadLetterIndex,
    inquiry_id: str,
    through: int,
    files: CaseFiles | None = None,
) -> None:
    """Delete the words of decisions 1 to `through`, the files of the inquiry, parked inputs, commands, and personal data in
    the dead-letter index.

    The search index forgets the case and is built again from what is left. Whoever indexes the old words meanwhile finds
    the tombstone, which is written first, and deletes them again.

    Safe to repeat after a crash between any two steps. Facts, ids and the hash chain of events stay. Another process may
    keep the case in its cache until it loads the case again; it publishes nothing from there.
    """
    through = await store.tombstones.set(inquiry_id, through)
    if files is not None:
        await files.erase(inquiry_id, (await store.decisions.of_many([inquiry_id]))[inquiry_id])
    await store.decisions.erase(inquiry_id, through)
    await store.search.mark([inquiry_id], timestamps.now())
    await store.search.erase(inquiry_id)
    await store.parked.erase(inquiry_id)
    await commands.erase(inquiry_id)
    await letters.erase(inquiry_id)


@dataclass
class CaseEvents:
    """The handler of the group `router-cases`."""

    case_list: CaseList
    commands: Ledger
    letters: DeadLetterIndex
    files: CaseFiles | None = None

    async def follow(self, batch: Sequence[Document]) -> None:
        """Erase what events say, then update the list of cases. Safe to repeat."""
        for row in batch:
            if ERASED_THROUGH in row:
                store = self.case_list.store
                await erase(store, self.commands, self.letters, row["_id"], row[ERASED_THROUGH], self.files)
        await self.case_list.follow(batch)
