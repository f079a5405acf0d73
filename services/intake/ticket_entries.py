"""Writes what concerns a ticket that exists to the ledger, unless the ticket is erased."""

from collections.abc import Awaitable, Callable

from services.intake.store import IntakeStore
from shared.ledger.ledger import Entry, Ledger, Written
from shared.ledger.numbering import accept_in_free_place


async def enter(
    store: IntakeStore, ledger: Ledger, inquiry_id: str, make: Callable[[], Awaitable[Entry]]
) -> tuple[Entry, Written] | None:
    """Write the entry that `make` returns; None, without a word left, when the ticket is erased. Safe to repeat."""
    outcome = await accept_in_free_place(ledger, make)
    if await store.erased(inquiry_id):
        # An erasure after the ticket was opened may have run before this entry was written.
        await ledger.erase(inquiry_id)
        return None
    return outcome
