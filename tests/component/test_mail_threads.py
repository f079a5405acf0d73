"""The mails of a case: in order whatever fails, stale news as one digest, stopped ones not at all."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifier.channels import preparation
from services.notifier.domain.deliveries import Delivery
from services.notifier.mail import deliveries as mail_store
from services.notifier.store import NotifierStore
from shared.runtime import timestamps
from shared.store.mongo import Database
from tests.builders import INQUIRY
from tests.component.mailroom import Mailroom, a_case, fresh, impatient, mail_server, room
from tests.mailing import KEYS, an_offer, ids
from tests.patience import PATIENCE_S

__all__ = ["impatient", "room"]
pytestmark = pytest.mark.both_clients
LONG_AGO = timedelta(seconds=61)


def sent(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "sent")


# ── order ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("processes", [1, 2])
async def test_news_of_a_case_arrives_in_the_order_of_its_decisions(
    room: Mailroom, database: Database, processes: int
) -> None:
    cases = [a_case(f"c{number}-", to=f"r{number}@mail.example") for number in range(12)]
    for place in (2, 0, 1):  # the order of arrival is not that of the decisions
        await room.add(*(case[place] for case in cases))
    stores = [NotifierStore(database, KEYS) for _ in range(processes)]
    async with room.sending(*(room.process(one) for one in stores)):
        await room.until(**sent(*(one.id for case in cases for one in case)))
    assert len(room.picky.mails) == 36
    for case in cases:
        [recipient] = {one.to for one in case}
        mine = [str(one["X-Chorus-Event"]) for one in room.picky.mails if one["To"] == recipient]
        assert mine == [one.id for one in case]


@pytest.mark.parametrize("how", ["later", "hangup"])
async def test_a_mail_that_is_retried_holds_back_those_behind_it(room: Mailroom, how: str) -> None:
    case = a_case("a", to=f"{how}@mail.example")
    await room.add(*case, fresh("other"))
    async with room.sending():
        await room.until(**sent("a0", "a1", "a2", "other"))
    assert [one for one in room.picky.events if one != ["other"]] == [["a0"], ["a1"], ["a2"]]


async def test_news_follows_one_that_failed_for_good(room: Mailroom) -> None:
    await room.add(*a_case("a"))
    await room.store.mails.deliveries.update_one({"_id": "a0"}, {"$set": {"text": None}})
    async with room.sending():
        await room.until(a0="failed", a1="sent", a2="sent")
    assert room.picky.events == [["a1"], ["a2"]]


async def test_news_that_comes_while_a_mail_is_sent_is_not_forgotten(room: Mailroom) -> None:
    mails = room.store.mails
    await room.add(fresh("one"))
    now = timestamps.now()
    [claimed] = await mails.claim(now, "resident", 10)
    await mails.begin(claimed.thread, claimed.waiting, True)
    await room.add(fresh("two", n=2))
    assert await mails.claim(now, "resident", 10) == [], "the thread is claimed"
    await mails.sent(claimed.thread, claimed.waiting, False, now)
    [again] = await mails.claim(timestamps.now(), "resident", 10)
    assert ids(again.waiting) == ["two"]
    await mails.sent(again.thread, again.waiting, False, now)
    assert await mails.claim(timestamps.now(), "resident", 10) == []
    await room.add(fresh("three", n=3))
    assert [ids(one.waiting) for one in await mails.claim(timestamps.now(), "resident", 10)] == [["three"]]


async def test_a_repeat_of_sent_news_sends_nothing(room: Mailroom) -> None:
    case = a_case("a")
    await room.add(*case)
    async with room.sending():
        await room.until(**sent("a0", "a1", "a2"))
        await room.add(*case)
        async with asyncio.timeout(PATIENCE_S):
            while await room.store.mails.threads.count_documents({"due_at": {"$exists": True}}):
                await asyncio.sleep(0.02)
    assert room.picky.events == [["a0"], ["a1"], ["a2"]]


# ── digests ──────────────────────────────────────────────────────────────────


async def test_after_an_outage_a_case_gets_one_digest(room: Mailroom) -> None:
    old = timestamps.now() - LONG_AGO
    await room.add(*a_case("a", at=old), *a_case("b", to="b@mail.example"))
    async with room.sending():
        found = await room.until(**sent("a0", "a1", "a2", "b0", "b1", "b2"))
    assert sorted(room.picky.events) == [["a0", "a1", "a2"], ["b0"], ["b1"], ["b2"]]
    [digest] = [one for one in room.picky.mails if one["X-Chorus-Event"] == "a2"]
    assert digest["Message-ID"] == "<a2@city.example>"
    assert {found[name]["mail"] for name in ("a0", "a1", "a2")} == {"a2"}


async def test_news_that_becomes_stale_while_the_mail_server_is_away_joins_the_digest(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.domain.threads.STALE_AFTER", timedelta(seconds=0.5))
    await room.add(*a_case("a"))
    async with room.only_sending():
        await room.until(a0="retrying")
        await asyncio.sleep(0.6)
        async with room.sending():
            await room.until(**sent("a0", "a1", "a2"))
    assert room.picky.events == [["a0", "a1", "a2"]]


async def test_a_rejected_digest_grows_and_one_that_may_have_arrived_does_not(room: Mailroom) -> None:
    mails, now = room.store.mails, timestamps.now()
    for name, maybe_sent, expected in (("a", False, ["a0", "a1", "a2"]), ("b", True, ["b0", "b1"])):
        case = a_case(name, to=f"{name}@mail.example", at=now - LONG_AGO)
        await room.add(*case[:2])
        [claimed] = await mails.claim(timestamps.now() + timedelta(seconds=1), "resident", 10)
        await mails.begin(claimed.thread, claimed.waiting, True)
        await mails.retry_at(claimed.thread, claimed.waiting, now, "x", maybe_sent)
        await room.add(case[2])
        async with room.sending():
            await room.until(**sent(*(one.id for one in case)))
        assert next(one for one in room.picky.events if one[0].startswith(name)) == expected


async def test_a_process_that_dies_after_sending_repeats_the_same_mail(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.add(*a_case("a", at=timestamps.now() - LONG_AGO)[:2])

    async def dies(*_: object) -> None:
        raise RuntimeError

    process = room.process()
    due = await room.store.mails.claim(timestamps.now(), "resident", 10)
    async with mail_server(room.picky, room.port):
        with monkeypatch.context() as dying:
            dying.setattr(room.store.mails, "sent", dies)
            with pytest.raises(RuntimeError):
                await process._send_all(due, process.city.current())
    await room.store.mails.threads.update_many({}, {"$set": {"due_at": timestamps.now()}})
    await room.add(a_case("a")[2])
    async with room.sending():
        await room.until(**sent("a0", "a1", "a2"))
    assert room.picky.events == [["a0", "a1"], ["a0", "a1"], ["a2"]]
    first, second, _ = room.picky.mails
    assert first["Message-ID"] == second["Message-ID"] == "<a1@city.example>"


# ── departments ──────────────────────────────────────────────────────────────


async def test_a_mail_to_a_department_waits_for_the_subject(room: Mailroom) -> None:
    await room.add(an_offer("p1", at=timestamps.now()))
    async with room.sending():
        await asyncio.sleep(0.2)
        assert room.picky.mails == []
        await room.store.mails.add_subjects({INQUIRY: "路灯不亮"}, timestamps.now())
        await room.until(p1="sent")
    assert room.picky.mails[0]["Subject"].endswith("New part: 路灯不亮")


async def test_a_mail_to_a_department_does_not_wait_for_ever(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "SUBJECT_AWAITED", timedelta(seconds=0.1))
    await room.add(an_offer("p1", at=timestamps.now()))
    async with room.sending():
        await room.until(p1="sent")
    assert room.picky.mails[0]["Subject"].endswith("New part")


# ── stopping, and sending again ──────────────────────────────────────────────


async def test_stopped_mails_are_not_sent_and_resumed_ones_are(room: Mailroom) -> None:
    await room.add(*a_case("a")[:1], *a_case("b")[:1])
    async with room.sending():
        await room.until(**sent("a0", "b0"))
        thread = room.store.mails.thread_of(a_case("a")[0]).id
        await room.store.mails.set_stopped(thread, True)
        await room.add(a_case("a")[1], a_case("b")[1])
        found = await room.until(a1="stopped", b1="sent")
        assert (found["a1"]["text"], found["a1"]["to"]) == (None, "w***@mail.example")
        await room.store.mails.set_stopped(thread, False)
        await room.add(a_case("a")[2])
        await room.until(a2="sent")
    assert sorted(room.picky.events) == [["a0"], ["a2"], ["b0"], ["b1"]]


async def the_failed(room: Mailroom, id_: str) -> Delivery:
    found = await room.store.mails.delivery(id_)
    assert found is not None
    assert found.state == "failed"
    return found


async def test_a_failed_mail_is_sent_again_before_later_news(room: Mailroom) -> None:
    await room.add(fresh("one", "never@mail.example"))
    async with room.sending():
        await room.until(one="failed")
    room.picky.forgiving = True
    await room.store.mails.send_again(await the_failed(room, "one"), timestamps.now())
    await room.add(fresh("two", "never@mail.example", n=2))
    async with room.sending():
        await room.until(**sent("one", "two"))
    assert room.picky.events == [["one"], ["two"]]


async def test_the_words_of_a_failed_mail_are_deleted_after_a_month(room: Mailroom) -> None:
    await room.add(fresh("one", "never@mail.example"))
    async with room.sending():
        await room.until(one="failed")
    mails, failed = room.store.mails, await the_failed(room, "one")
    await mails.forget_old(timestamps.now())
    assert (await the_failed(room, "one")).notice.text == "亮了 💡"
    await mails.forget_old(timestamps.now() + mail_store.FAILED_KEPT + timedelta(seconds=1))
    forgotten = await the_failed(room, "one")
    assert (forgotten.notice.to, forgotten.notice.text, forgotten.words_until) == ("n***@mail.example", None, None)
    for late in (failed, replace(forgotten, words_until=None)):
        await mails.send_again(late, timestamps.now())
    assert (await the_failed(room, "one")).due_at is None
