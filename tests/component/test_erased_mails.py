"""An erased inquiry at the notifier: no more mails, nothing known of its address, and no entry in the hall."""

from dataclasses import replace
from datetime import timedelta

from services.notifier.domain.hall import HallEntry
from services.notifier.erasure import erase as erase_at_the_notifier
from services.notifier.responses import MailShown
from services.notifier.store import NotifierStore
from shared.runtime import timestamps
from shared.store.mongo import Database
from tests.builders import INQUIRY
from tests.hall import in_hall
from tests.mailing import KEYS, a_notice, an_offer, thread_of

OTHER = "20260316-0000000B"
MAIL = a_notice("one")


async def test_erasure_cancels_unsent_mails(database: Database) -> None:
    store, now = NotifierStore(database, KEYS), timestamps.now()
    mails = store.mails
    await mails.add_notices([MAIL, replace(MAIL, id="two", n=2)], now)
    [[thread, (claimed, _)]] = await mails.claim(now, "resident", 2)
    await erase_at_the_notifier(store, INQUIRY, 3)
    await mails.retry_at(thread, [claimed], now, "too late", False)
    await mails.failed(thread, [claimed], True, "too late", now)
    await mails.sent(thread, [claimed], True, now)
    await mails.add_notices([MAIL, a_notice("late", n=1)], now)
    await mails.add_subjects({INQUIRY: "路灯"}, now)
    assert await mails.claim(timestamps.now(), "resident", 2) == []
    assert await mails.subject_of(INQUIRY) is None
    found = await mails.page("cancelled", INQUIRY, None, 10)
    assert len(found) == 3
    assert {(one.notice.to, one.notice.subject, one.notice.text, one.error) for one in found} == {(None,) * 4}
    assert {(MailShown.of(one).to, MailShown.of(one).state) for one in found} == {(None, "cancelled")}


async def test_erasure_deletes_the_words_of_failed_mails(database: Database) -> None:
    store, now = NotifierStore(database, KEYS), timestamps.now()
    await store.mails.add_notices([MAIL, an_offer()], now)
    [[thread, waiting]] = await store.mails.claim(now, "resident", 2)
    await store.mails.failed(thread, waiting, False, "550 no", now)
    await erase_at_the_notifier(store, INQUIRY, 3)
    failed = await store.mails.delivery("one")
    assert failed is not None
    assert (failed.notice.to, failed.notice.text, failed.words_until, failed.error) == (None,) * 4
    await store.mails.send_again(failed, now)
    assert await store.mails.claim(now + timedelta(seconds=1), "resident", 2) == []


async def test_an_address_is_forgotten_with_its_last_inquiry(database: Database) -> None:
    store, now = NotifierStore(database, KEYS), timestamps.now()
    thread = thread_of(MAIL)
    await store.mails.add_notices([MAIL, a_notice("two", inquiry_id=OTHER)], now)
    await store.addresses.confirm(thread.address, now)
    await erase_at_the_notifier(store, INQUIRY, 3)
    assert await store.addresses.confirmed([thread.address]) == {thread.address}
    await erase_at_the_notifier(store, OTHER, 3)
    assert await store.addresses.confirmed([thread.address]) == set()
    assert await store.mails.threads.count_documents({}) == 0


async def test_erasure_removes_the_entry_from_the_hall(database: Database) -> None:
    store = NotifierStore(database, KEYS)
    answer = HallEntry(INQUIRY, 3, 1, "2026-03-16T05:00:00.000Z", "zh", "路灯", "不亮", ())
    await in_hall(store, answer, replace(answer, inquiry_id=OTHER))
    await erase_at_the_notifier(store, INQUIRY, 3)
    await in_hall(store, answer)
    assert [one.inquiry_id for one in await store.hall_page(None, 10)] == [OTHER]
    await in_hall(store, replace(answer, n=4))
    assert await store.entry(INQUIRY) == replace(answer, n=4)
