"""Erasing an inquiry at the router."""

from services.router.dead_letters.index import DeadLetterIndex
from services.router.stores.store import RouterStore
from shared.ledger.ledger import Ledger


async def erase(store: RouterStore, commands: Ledger, letters: DeadLetterIndex, inquiry_id: str, through: int) -> None:
    """Drop the words of its decisions up to `through`, its parked inputs, its commands and what letters say of it.

    Safe to repeat. Facts, ids and the chain of events stay. Another process may remember the case until it reads it again.
    """
    through = await store.tombstones.set(inquiry_id, through)
    await store.decisions.erase(inquiry_id, through)
    await store.parked.erase(inquiry_id)
    await commands.erase(inquiry_id)
    await letters.erase(inquiry_id)
