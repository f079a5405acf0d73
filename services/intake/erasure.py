"""Erases an inquiry in intake's database."""

from services.intake.files import ResidentFiles
from services.intake.store import IntakeStore
from shared.ledger.ledger import Ledger


async def erase(
    store: IntakeStore, ledger: Ledger, inquiry_id: str, through: int, files: ResidentFiles | None = None
) -> None:
    """Delete the resident's messages, mails and files, and the texts of updates up to decision `through`; safe to repeat."""
    through = await store.tombstones.set(inquiry_id, through)
    if files is not None:
        await files.erase(inquiry_id)
    await ledger.erase(inquiry_id)
    await store.mails.erase(inquiry_id)
    await store.erase_updates(inquiry_id, through)
