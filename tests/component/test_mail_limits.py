"""An unconfirmed address gets a few mails an hour; the rest waits, and nothing is lost."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.notifier.channels import email as email_channel
from services.notifier.channels import preparation
from services.notifier.domain.limits import PERIOD
from shared.runtime import timestamps
from tests.component.mailroom import Mailroom, a_case, fresh, impatient, mail_server, room
from tests.mailing import plain
from tests.patience import PATIENCE_S

__all__ = ["impatient", "room"]
pytestmark = pytest.mark.both_clients
UNCONFIRMED: dict[str, Any] = {"mail_confirm": True}


async def test_forty_messages_send_five_mails_and_the_rest_waits(room: Mailroom) -> None:
    """The tag after `+` does not make another mailbox, nor do capital letters."""
    for number in range(40):
        to = ("Victim@mail.example", f"victim+{number}@mail.example")[number % 2]
        await room.add(*a_case(f"m{number}-", "registered", "assigned", to=to, text="https://evil.example"))
    await room.add(fresh("other"))
    async with room.sending(room.process(**UNCONFIRMED), room.process(**UNCONFIRMED)):
        await room.until(other="sent")
        async with asyncio.timeout(PATIENCE_S):
            while await room.store.mails.threads.count_documents({"due_at": {"$lte": timestamps.now() + PERIOD / 2}}):
                await asyncio.sleep(0.05)
    mine = [one for one in room.picky.mails if "victim" in str(one["To"]).lower()]
    assert len(mine) == 5
    assert not any("evil" in one.as_string() or "evil" in plain(one) for one in mine)
    states = [one["state"] for one in (await room.deliveries()).values()]
    assert (states.count("sent"), states.count("waiting")) == (6, 75)


async def test_what_waits_for_the_limit_is_a_digest_an_hour_later(room: Mailroom) -> None:
    await room.add(*(fresh(f"m{n}", inquiry_id=f"20260316-0000000{n}") for n in range(5)))
    async with room.sending(**UNCONFIRMED):
        await room.until(m4="sent")
        await room.add(*a_case("a", at=timestamps.now() - timedelta(seconds=61)))
        await asyncio.sleep(0.3)
        assert len(room.picky.mails) == 5
        await room.store.addresses.limits.update_many({}, {"$set": {"slots": []}})
        await room.store.mails.threads.update_many(
            {"due_at": {"$exists": True}}, {"$set": {"due_at": timestamps.now()}}
        )
        await room.until(a0="sent", a1="sent", a2="sent")
    assert room.picky.events[5:] == [["a0", "a1", "a2"]]


async def test_news_that_never_finds_a_place_fails_with_a_sentence(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "GIVE_UP_AFTER", timedelta(seconds=-1))
    await room.add(*(fresh(f"m{n}", inquiry_id=f"20260316-0000000{n}", n=n) for n in range(2)))
    async with room.sending(mail_confirm=True, mail_per_address_per_hour=1):
        async with asyncio.timeout(PATIENCE_S):
            while not (failed := await room.store.mails.page("failed", None, None, 2)):
                await asyncio.sleep(0.02)
    assert failed[0].error == preparation.TOO_MANY


async def test_a_flood_for_one_address_does_not_delay_mails_to_others(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_channel, "RESIDENTS_AT_ONCE", 10)
    await room.add(*(fresh(f"m{n}", "victim@mail.example", inquiry_id=f"20260316-000000{n:02}") for n in range(60)))
    process, now = room.process(**UNCONFIRMED), timestamps.now()
    due = await room.store.mails.claim(now, "resident", email_channel.RESIDENTS_AT_ONCE)
    async with mail_server(room.picky, room.port):
        await process._send_all(due, process.city.current())
    assert len(room.picky.mails) == 5
    assert await room.store.mails.threads.count_documents({"due_at": {"$lte": timestamps.now()}}) == 0
    assert await room.store.mails.threads.count_documents({"due_at": {"$exists": True}}) == 55
