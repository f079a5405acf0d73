"""Erases an inquiry in the router's database."""

from services.router.dead_letters.index import DeadLetterIndex
from services.router.stores.store import RouterStore
from shared.ledger.ledger import Ledger
from shared.runtime import timestamps


async def erase(store: RouterStore, commands: Ledger, letters: DeadLetterIndex, inquiry_id: str, through: int) -> None:
    """Delete the words of decisions 1 to `through`, parked inputs, commands, and personal data in the dead-letter index.

    The search index forgets the case and is built again from what is left. Whoever indexes the old words meanwhile finds
    the tombstone, which is written first, and deletes them again.

    Safe to repeat. Facts, ids and the hash chain of events stay. Another process may keep the case in its cache until it
    loads the case again.
    """
    through = await store.tombstones.set(inquiry_id, through)
    await store.decisions.erase(inquiry_id, through)
    await store.search.mark([inquiry_id], timestamps.now())
    await store.search.erase(inquiry_id)
    await store.parked.erase(inquiry_id)
    await commands.erase(inquiry_id)
    await letters.erase(inquiry_id)
