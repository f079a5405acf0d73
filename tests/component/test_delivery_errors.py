"""Stored errors of mails contain no addresses."""

import pytest

from services.notifier.store import NotifierStore
from shared.store.mongo import Database
from tests.builders import MONDAY_NOON
from tests.mailing import KEYS, a_notice

ADDRESS = "lan@mail.example"


@pytest.mark.parametrize("given_up", [False, True])
async def test_errors_of_mails_contain_no_addresses(database: Database, given_up: bool) -> None:
    mails = NotifierStore(database, KEYS).mails
    await mails.add_notices([a_notice("e1", to=ADDRESS, text="亮了")], MONDAY_NOON)
    [[thread, waiting]] = await mails.claim(MONDAY_NOON, "resident", 1)
    words = f"550 <{ADDRESS}>: no such user"
    if given_up:
        await mails.failed(thread, waiting, False, words, MONDAY_NOON)
    else:
        await mails.retry_at(thread, waiting, MONDAY_NOON, words, False)
    [kept] = await mails.page(None, None, None, 1)
    assert kept.error == "550 <l***@mail.example>: no such user"
    assert (kept.state, kept.notice.to, kept.notice.text) == ("failed" if given_up else "retrying", ADDRESS, "亮了")
