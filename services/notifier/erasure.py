"""Erasing an inquiry at the notifier."""

from services.notifier.store import NotifierStore


async def erase(store: NotifierStore, inquiry_id: str, through: int) -> None:
    """Drop the words and addresses of its mails, cancel those that are not sent, and take it out of the hall.

    Safe to repeat.
    """
    through = await store.tombstones.set(inquiry_id, through)
    await store.erase_deliveries(inquiry_id)
    await store.erase_entry(inquiry_id, through)
