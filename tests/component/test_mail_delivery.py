"""Mails on a real store and real mail servers: each is sent once, whatever fails; operators see no address."""

import asyncio
import email
import email.policy
import logging
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from services.notifier.channels import email as email_channel
from services.notifier.mail import deliveries as mail_store
from services.notifier.mail.deliveries import LEASE_S
from services.notifier.responses import MailShown
from services.notifier.store import NotifierStore
from shared.runtime import metrics, timestamps
from shared.store.mongo import Database, Document
from tests.backing import Backing
from tests.builders import INQUIRY
from tests.component.conftest import in_background
from tests.component.mailroom import Mailroom, fresh, impatient, mail_server, room
from tests.mailing import KEYS, plain
from tests.patience import PATIENCE_S

__all__ = ["impatient", "room"]
pytestmark = pytest.mark.both_clients


async def test_a_sent_mail_has_its_ids_and_its_words_are_deleted(room: Mailroom, running: Backing) -> None:
    if running.mail is None:
        pytest.skip("the mail server is not our own sink, so its mails cannot be read")
    event = f"event-{uuid4().hex}"
    await room.add(fresh(event, subject="路灯 👨\u200d👩\u200d👧"))
    async with in_background(room.process(smtp=running.smtp).deliver):
        [done] = (await room.until(**{event: "sent"})).values()
    mails = [
        email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in running.mail.glob("*.eml")
    ]
    [mail] = [one for one in mails if one["X-Chorus-Event"] == event]
    assert mail["Message-ID"] == f"<{event}@city.example>"
    assert mail["To"] == "writer@mail.example"
    assert mail["Subject"] == f"[{INQUIRY}] 路灯 👨\u200d👩\u200d👧"
    assert "亮了 💡" in plain(mail)
    assert (done["to"], done["text"], done["subject"]) == ("w***@mail.example", None, None)
    assert (done["mail"], done["attempts"], "due_at" in done) == (event, 1, False)


async def test_no_code_and_no_link_is_stored(room: Mailroom, database: Database) -> None:
    await room.add(fresh("one"))
    async with room.sending():
        await room.until(one="sent")
    [mail] = room.picky.mails
    code = plain(mail).partition("&code=")[2][:12]
    assert len(code) == 12
    for name in await database.list_collection_names():
        stored = repr(await database[name].find({}).to_list(None))
        assert code not in stored, name
        assert "writer@mail.example" not in stored, name
        assert "token=" not in stored, name


async def test_temporary_rejections_are_retried_and_permanent_ones_are_not(room: Mailroom) -> None:
    await room.add(*(fresh(name, f"{name}@mail.example") for name in ("later", "never", "always")))
    async with room.sending():
        found = await room.until(later="sent", never="failed", always="sent")
    assert sorted(room.picky.taken) == ["always@mail.example", "later@mail.example"]
    assert (found["later"]["attempts"], found["never"]["attempts"]) == (3, 1)
    assert "550" in found["never"]["error"] or "no such mailbox" in found["never"]["error"]


async def test_mails_wait_while_the_mail_server_is_unavailable(room: Mailroom) -> None:
    await room.add(fresh("one"), fresh("two", "two@mail.example"))
    async with room.only_sending():
        await room.until(one="retrying", two="retrying")
        async with room.sending():
            await room.until(one="sent", two="sent")
    assert sorted(room.picky.taken) == ["two@mail.example", "writer@mail.example"]


async def test_an_address_that_the_server_cannot_accept_does_not_block_others(room: Mailroom) -> None:
    """A name in Chinese characters needs SMTPUTF8, which not every server supports."""
    await room.add(fresh("foreign", "张三@mail.example"), fresh("plain"))
    async with room.sending():
        found = await room.until(plain="sent", foreign="failed")
    assert room.picky.taken == ["writer@mail.example"]
    assert found["foreign"]["error"]


async def test_two_processes_send_each_mail_once(room: Mailroom, database: Database) -> None:
    names = {f"n{number}": "sent" for number in range(60)}
    await room.add(*(fresh(name, f"{name}@mail.example") for name in names))
    async with room.sending(*(room.process(NotifierStore(database, KEYS)) for _ in range(2))):
        await room.until(**names)
    assert sorted(room.picky.taken) == sorted(f"{name}@mail.example" for name in names)


async def test_a_mail_claimed_by_a_dead_process_is_sent_by_another(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.add(fresh("one"))
    with monkeypatch.context() as short:
        short.setattr(mail_store, "LEASE_S", 0.05)
        [dead] = await room.store.mails.claim(timestamps.now(), "resident", 10)
        assert [one.id for one in dead.waiting] == ["one"]
    async with room.sending():
        await room.until(one="sent")
    assert room.picky.taken == ["writer@mail.example"]


async def test_a_process_that_stops_releases_the_mails_that_it_has_not_begun(room: Mailroom) -> None:
    await room.add(fresh("first", "silence@mail.example"))
    await room.add(*(fresh(f"n{number}", f"n{number}@mail.example") for number in range(5)))
    async with mail_server(room.picky, room.port):
        async with room.only_sending():
            async with asyncio.timeout(PATIENCE_S):
                while "silence@mail.example" not in room.picky.asked:
                    await asyncio.sleep(0.01)
        kept = await room.store.mails.threads.find({"claim": {"$exists": True}}).to_list(None)
        assert [one["sending"] for one in kept] == [["first"]]
        async with room.only_sending():
            await room.until(**{f"n{number}": "sent" for number in range(5)})
    assert (await room.deliveries())["first"]["state"] == "waiting"


@pytest.mark.parametrize(
    "poison",
    [
        {"to": "=?x?q??=@x.cn"},
        {"to": "=?utf-8?q?a?=@=?utf-8?q?b?=.c"},
        {"to": "x@=?utf-8?q?a=2Ecn=3E=2C_evil=40e.cn?=.cn"},
        {"to": "a@x.cn,b@y.cn"},
        {"to": "a@🚧.example"},
        {"text": None},
    ],
    ids=str,
)
async def test_a_mail_that_cannot_be_composed_fails_and_others_are_sent(room: Mailroom, poison: Document) -> None:
    await room.add(fresh("poison", "poison@mail.example"), fresh("good"))
    await room.store.mails.deliveries.update_one({"_id": "poison"}, {"$set": poison})
    before = failures()
    async with room.sending():
        found = await room.until(poison="failed", good="sent")
        async with asyncio.timeout(PATIENCE_S):
            while failures() == before:
                await asyncio.sleep(0.01)
    assert room.picky.asked == ["writer@mail.example"]
    assert (found["poison"]["attempts"], failures()) == (1, before + 1)
    assert found["poison"]["error"].endswith(".")


def failures() -> float:
    return float(metrics.DELIVERIES.labels("resident", "failed")._value.get())


@pytest.mark.parametrize("over", ["hangup", "silence"])
async def test_other_mails_are_sent_after_a_connection_loss_or_timeout(
    room: Mailroom, over: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_channel, "SEND_TIMEOUT_S", 0.5)
    names = {over: "sent", "one": "sent", "two": "sent"}
    await room.add(*(fresh(name, f"{name}@mail.example") for name in names))
    async with room.sending():
        found = await room.until(**names)
    assert {name: one["attempts"] for name, one in found.items()} == {over: 3, "one": 1, "two": 1}
    assert sorted(room.picky.taken) == sorted(f"{name}@mail.example" for name in names)


async def test_a_process_with_an_expired_claim_changes_nothing(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    await room.add(fresh("one"))
    mails, now = room.store.mails, timestamps.now()
    with monkeypatch.context() as short:
        short.setattr(mail_store, "LEASE_S", 0.0)
        [slow] = await mails.claim(now, "resident", 10)
    [quick] = await mails.claim(now + timedelta(seconds=1), "resident", 10)
    assert not await mails.begin(slow.thread, slow.waiting, True)
    assert await mails.begin(quick.thread, quick.waiting, True)
    await mails.sent(quick.thread, quick.waiting, False, now)
    settled = await room.deliveries(), await mails.threads.find({}).to_list(None)
    await mails.retry_at(slow.thread, slow.waiting, now, "x", False)
    await mails.failed(slow.thread, slow.waiting, False, "x", now)
    await mails.wait_until(slow.thread, now)
    assert (await room.deliveries(), await mails.threads.find({}).to_list(None)) == settled
    assert (settled[0]["one"]["state"], "due_at" in settled[1][0]) == ("sent", False)


async def test_nothing_is_sent_shortly_before_the_claim_expires(room: Mailroom) -> None:
    await room.add(fresh("one"), fresh("two", "two@mail.example"))
    mails, now = room.store.mails, timestamps.now()
    assert await mails.claim(now - timedelta(seconds=LEASE_S - 25), "resident", 10) == []
    claimed = await mails.claim(now, "resident", 10)
    ends_at = now + timedelta(seconds=25)
    nearly_over = [one._replace(thread=replace(one.thread, due_at=ends_at)) for one in claimed]
    process = room.process()
    async with mail_server(room.picky, room.port):
        await process._send_all(nearly_over, process.city.current())
    assert room.picky.taken == []
    assert len(await mails.claim(timestamps.now(), "resident", 10)) == 2


async def test_operators_see_mails_without_addresses_or_words(room: Mailroom, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "chorus")
    await room.add(*(fresh(name, f"{name}-secret@mail.example", text="secret") for name in ("never", "later")))
    async with room.sending():
        await room.until(never="failed", later="sent")
    error = {"error": "451 <later-secret@mail.example> later"}
    await room.store.mails.deliveries.update_one({"_id": "later"}, {"$set": error})
    rows = {one.id: MailShown.of(one) for one in await room.store.mails.page(None, None, None, 10)}
    assert "n***@mail.example" in (rows["never"].error or "")
    assert (rows["never"].to, rows["later"].error) == ("n***@mail.example", "451 <l***@mail.example> later")
    assert "secret" not in f"{rows}{[vars(one) for one in caplog.records if one.name == 'chorus']}"
