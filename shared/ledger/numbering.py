"""Accepts an entry under the next free number of its inquiry, or under a new inquiry id."""

from collections.abc import Awaitable, Callable

from shared.ledger.ledger import Entry, Ledger, Written


async def next_number(ledger: Ledger, inquiry_id: str) -> int:
    """The `n` of the next entry of an inquiry, counted from 0."""
    return len(await ledger.of(inquiry_id))


async def accept_in_free_place(ledger: Ledger, make: Callable[[], Awaitable[Entry]]) -> tuple[Entry, Written]:
    """Accept the entry that `make` returns. Calls `make` again when another request has taken its inquiry id and `n`.

    Returns the entry and its outcome: new, or the earlier entry with the same id. Raises what `Ledger.accept` raises.
    """
    while True:
        entry = await make()
        written = await ledger.accept(entry)
        if written.new or written.earlier:
            return entry, written
