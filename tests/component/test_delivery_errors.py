"""Stored errors of mail deliveries contain no addresses."""

import pytest

from services.notifier.domain.notices import Notice
from services.notifier.store import NotifierStore
from shared.store.mongo import Database
from tests.builders import INQUIRY, MONDAY_NOON

ADDRESS = "lan@mail.example"


@pytest.mark.parametrize("given_up", [False, True])
async def test_delivery_errors_contain_no_addresses(database: Database, given_up: bool) -> None:
    store = NotifierStore(database)
    await store.add_notices([Notice("e1", "resident", INQUIRY, ADDRESS, "路灯", "亮了", "zh")], MONDAY_NOON)
    [delivery] = await store.claim(MONDAY_NOON, "resident", 1)
    words = f"550 <{ADDRESS}>: no such user"
    if given_up:
        await store.failed(delivery, words)
    else:
        await store.retry_at(delivery, MONDAY_NOON, words)
    [kept] = await store.deliveries_page(None, None, 1)
    assert kept.error == "550 <l***@mail.example>: no such user"
    assert (kept.to == ADDRESS, kept.text) == ((False, None) if given_up else (True, "亮了"))
