"""An erased inquiry at the notifier: no more mails, and no entry in the hall."""

from dataclasses import replace

from services.notifier.domain.hall import HallEntry
from services.notifier.domain.notices import Notice
from services.notifier.erasure import erase as erase_at_the_notifier
from services.notifier.responses import DeliveryShown
from services.notifier.store import NotifierStore
from shared.runtime import timestamps
from shared.store.mongo import Database
from tests.builders import INQUIRY

OTHER = "20260316-0000000B"


MAIL = Notice("one", "resident", INQUIRY, "writer@mail.example", "路灯", "亮了", "zh")


async def test_erasure_cancels_unsent_mails(database: Database) -> None:
    store = NotifierStore(database)
    await store.add_notices([MAIL, replace(MAIL, id="two")], timestamps.now())
    [claimed, _] = await store.claim(timestamps.now(), "resident", 2)
    await erase_at_the_notifier(store, INQUIRY, 3)
    await store.retry_at(claimed, timestamps.now(), "too late")
    await store.failed(claimed, "too late")
    await store.add_notices([MAIL], timestamps.now())
    assert await store.claim(timestamps.now(), "resident", 2) == []
    found = await store.deliveries_page("cancelled", INQUIRY, 10)
    assert [(one.to, one.subject, one.text, one.error) for one in found] == [(None, None, None, None)] * 2
    assert {(DeliveryShown.of(one).to, DeliveryShown.of(one).state) for one in found} == {(None, "cancelled")}


async def test_erasure_removes_the_entry_from_the_hall(database: Database) -> None:
    store = NotifierStore(database)
    answer = HallEntry(INQUIRY, 3, 1, "2026-03-16T05:00:00.000Z", "zh", "路灯", "不亮", ())
    await store.show([answer, replace(answer, inquiry_id=OTHER)])
    await erase_at_the_notifier(store, INQUIRY, 3)
    await store.show([answer])
    assert [one.inquiry_id for one in await store.hall_page(None, 10)] == [OTHER]
    await store.show([replace(answer, n=4)])
    assert await store.entry(INQUIRY) == replace(answer, n=4)
