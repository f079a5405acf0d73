"""Erasing an inquiry at the scorer."""

from services.scorer.store import ScorerStore


async def erase(store: ScorerStore, inquiry_id: str, through: int) -> None:
    """Note it; safe to repeat. Events hold no words, so they stay, and the scores with them."""
    await store.tombstones.set(inquiry_id, through)
