"""Erases an inquiry in the router's database."""

from services.router.dead_letters.index import DeadLetterIndex
from services.router.files.case_files import CaseFiles
from services.router.stores.store import RouterStore
from shared.ledger.ledger import Ledger


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

    Safe to repeat. Facts, ids and the hash chain of events stay. Another process may keep the case in its cache until it
    loads the case again.
    """
    through = await store.tombstones.set(inquiry_id, through)
    if files is not None:
        await files.erase(inquiry_id, (await store.decisions.of_many([inquiry_id]))[inquiry_id])
    await store.decisions.erase(inquiry_id, through)
    await store.parked.erase(inquiry_id)
    await commands.erase(inquiry_id)
    await letters.erase(inquiry_id)
