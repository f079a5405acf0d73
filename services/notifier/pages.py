"""The hall's pages."""

from fastapi import APIRouter

from services.notifier.store import Store
from shared.settings import Settings


def routes(store: Store, settings: Settings) -> APIRouter:
    """The hall and its entries."""
    return APIRouter()
