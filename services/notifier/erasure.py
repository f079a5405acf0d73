"""Erases an inquiry in the notifier's database."""

from services.notifier.store import NotifierStore


async def erase(store: NotifierStore, inquiry_id: str, through: int) -> None:
    """Cancel unsent mails, delete texts and addresses of all mails, and remove the inquiry from the hall.

    Safe to repeat. Keeps an answer in the hall whose decision is later than `through`.
    """
    through = await store.tombstones.set(inquiry_id, through)
    await store.erase_deliveries(inquiry_id)
    await store.erase_entry(inquiry_id, through)
