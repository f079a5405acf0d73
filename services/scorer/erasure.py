"""Erases an inquiry in the scorer's database."""

from services.scorer.store import ScorerStore


async def erase(store: ScorerStore, inquiry_id: str, through: int) -> None:
    """Record the erasure; safe to repeat. The events of the inquiry stay and still count, because they have no words."""
    await store.tombstones.set(inquiry_id, through)
