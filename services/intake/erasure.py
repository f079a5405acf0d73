"""Erasing an inquiry at intake."""

from services.intake.store import IntakeStore
from shared.ledger.ledger import Ledger


async def erase(store: IntakeStore, ledger: Ledger, inquiry_id: str, through: int) -> None:
    """Drop what its resident wrote, and was told up to the decision `through`; safe to repeat."""
    through = await store.tombstones.set(inquiry_id, through)
    await ledger.erase(inquiry_id)
    await store.erase_told(inquiry_id, through)
