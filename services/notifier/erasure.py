"""Erases an inquiry in the notifier's database."""

from services.notifier.store import NotifierStore


async def erase(store: NotifierStore, inquiry_id: str, through: int) -> None:
    """Cancel unsent mails, delete words and addresses of all mails, and remove the inquiry from the hall.

    An address that no other inquiry has is forgotten: whether it has confirmed, and how many mails it got.
    Safe to repeat. Keeps an answer in the hall whose decision is later than `through`.
    """
    through = await store.tombstones.set(inquiry_id, through)
    threads = await store.mails.threads_of(inquiry_id)
    for address, mailbox in {(one.address, one.mailbox) for one in threads}:
        if not await store.mails.knows(address, besides=inquiry_id):
            await store.addresses.forget(address, mailbox)
    await store.mails.erase(inquiry_id)
    await store.erase_entry(inquiry_id, through)
