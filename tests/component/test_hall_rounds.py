"""The hall shows the reply of each round, whatever the order in which the replies are masked and shown."""

from dataclasses import replace
from itertools import permutations

import pytest

from services.notifier import erasure, views
from services.notifier.domain.hall import HallEntry, UnmaskedEntry
from services.notifier.domain.publication import HallDecision
from services.notifier.handlers import Notices
from services.notifier.responses import FeedItem
from services.notifier.store import NotifierStore
from shared.contracts.resident_messages import Paragraph
from shared.runtime import timestamps
from shared.service.event_decoders import ResidentMessage
from tests.builders import INQUIRY, contributed, rated, received, told
from tests.component.test_notifier import heard, masking, notices, store

__all__ = ["masking", "notices", "store"]
pytestmark = pytest.mark.both_clients
TWICE = told(
    received("路灯不亮", public=True),
    contributed("lighting", "亮了"),
    rated(solved=False, satisfied="no", words="电话13900990077"),
    contributed("lighting", "又亮了"),
)


def entry(n: int, round_: int, text: str) -> HallEntry:
    answer = Paragraph(department="lighting", name="路灯管理所", text=text)
    return HallEntry(INQUIRY, n, round_, f"2026-03-{round_:02}T04:00:00.000Z", "zh", "路灯", "坏了", (answer,))


async def show(store: NotifierStore, *entries: HallEntry) -> None:
    """Store masked entries whose policies publish them without a review."""
    for one in entries:
        await store.versions.add(one)
        await store.versions.decide([(one.inquiry_id, HallDecision(one.n, "published"))])


def replies(found: HallEntry | None) -> list[tuple[int, str]]:
    assert found is not None
    return [(one.round, one.paragraphs[0].text) for one in found.replies]


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_replies_in_any_order_and_twice_are_shown_by_round(store: NotifierStore, order: tuple[int, ...]) -> None:
    entries = [entry(2, 1, "一"), entry(3, 1, "一改"), entry(6, 2, "二"), entry(9, 3, "三")]
    for at in (*order, *order):
        await show(store, entries[at])
    assert replies(await store.entry(INQUIRY)) == [(1, "一改"), (2, "二"), (3, "三")]
    [found] = await store.hall_page(None, 10)
    assert (found.round, found.answered_at) == (3, "2026-03-03T04:00:00.000Z")


async def test_a_reply_that_waits_for_masking_is_not_replaced_by_that_of_the_next_round(
    notices: Notices, store: NotifierStore, masking: object
) -> None:
    await notices.take(heard(TWICE))
    waiting = await store.claim_unmasked(timestamps.now(), 5)
    assert sorted(one.entry.round for one in waiting) == [1, 2]
    for one in waiting:
        await show(store, one.entry)
        await store.forget_unmasked(one)
    assert replies(await store.entry(INQUIRY)) == [(1, "亮了"), (2, "又亮了")]
    await notices.take(heard(TWICE))
    assert await store.claim_unmasked(timestamps.now(), 5) == []


async def test_the_page_and_the_feed_have_every_reply_and_no_words_of_the_rating(store: NotifierStore) -> None:
    await show(store, entry(2, 1, "一"), entry(6, 2, "二"))
    found = await store.entry(INQUIRY)
    assert found is not None
    page = bytes(views.hall_entry("en", found).body).decode()
    assert page.index("一") < page.index("二")
    assert ("Round 1" in page, "Round 2" in page) == (True, True)
    item = FeedItem.of(found, "https://hall.example")
    assert item.content_text == "坏了\n\n【路灯管理所】\n一\n\n【路灯管理所】\n二"
    assert item.date_published == "2026-03-02T04:00:00.000Z"
    only = FeedItem.of(replace(found, earlier=()), "https://hall.example")
    assert only.content_text == "坏了\n\n【路灯管理所】\n二"


async def test_mails_about_reopened_parts_have_the_subject(notices: Notices, store: NotifierStore) -> None:
    reopened = [one for one in heard(TWICE) if isinstance(one, ResidentMessage) and one.told.what == "reopened"]
    await notices.take(reopened)
    assert await store.mails.subject_of(INQUIRY) == "路灯不亮"


async def test_an_erasure_removes_the_replies_of_all_rounds(store: NotifierStore) -> None:
    await show(store, entry(2, 1, "一"), entry(6, 2, "二"))
    await store.add_unmasked([UnmaskedEntry(entry(9, 3, "三"), None)], timestamps.now())
    await erasure.erase(store, INQUIRY, 12)
    assert await store.entry(INQUIRY) is None
    for collection in (store.hall, store.versions.versions, store.unmasked):
        assert await collection.count_documents({}) == 0
