"""Erases an inquiry in intake's database."""

from services.intake.store import IntakeStore
from shared.ledger.ledger import Ledger


async def erase(store: IntakeStore, ledger: Ledger, inquiry_id: str, through: int) -> None:
    """Delete the resident's messages and mails, and the texts of updates up to decision `through`; safe to repeat."""
    through = await store.tombstones.set(inquiry_id, through)
    await ledger.erase(inquiry_id)
    await store.mails.erase(inquiry_id)
    await store.erase_updates(inquiry_id, through)
