"""The review of the hall on a real store: only the version that a person published is shown, in every order and race."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import httpx
import pytest
from fastapi import FastAPI

from services.notifier import api, pages, review_api
from services.notifier.domain.hall import HallEntry
from services.notifier.domain.publication import HallDecision, sha256_of, version_of
from services.notifier.erasure import erase
from services.notifier.hall_documents import entry_document
from services.notifier.hall_masking import HallMasking
from services.notifier.handlers import Notices
from services.notifier.store import NotifierStore
from shared.http import problems
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import CoreMessage, ResidentMessage
from shared.store.mongo import Database
from shared.web.error_pages import error_pages
from shared.web.layout import Site
from tests.builders import CITY, INQUIRY, Step, Story, contributed, received, told
from tests.component.test_notifier import heard, knowing, up_to_date
from tests.fakes import MaskerInProcess
from tests.mailing import KEYS
from tests.publishing import corrected, hidden, published, redacted, retracted

TOKEN = b"the token of an operator, 32 bytes"
BEARER = {"Authorization": f"Bearer {TOKEN.decode()}"}
SITE = Site(intake="http://intake.example", hall="")
STEPS = (received("三单元路灯不亮", "请打 13800138000，我住三单元。", public=True), contributed("lighting", "亮了"))
STORY = told(*STEPS)


class Hall:
    """A notifier without Kafka, with an HTTP client; what the router decided is taken as the notifier reads it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.store = NotifierStore(database, KEYS)
        self.notices = Notices(self.store, knowing(CITY), up_to_date)
        self.masking = HallMasking(self.store, knowing(CITY), MaskerInProcess())
        app = FastAPI()
        problems.install(app, error_pages(SITE))
        app.include_router(api.routes(self.store, settings))
        app.include_router(review_api.routes(self.store.versions, TOKEN))
        app.include_router(pages.routes(self.store, CityFeed(lambda revision: revision), settings, SITE))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hall.example")

    async def hear(self, story: Story, mask: bool = True) -> None:
        await self.notices.take(heard(story))
        if mask:
            await self.masking.mask_waiting()

    async def waiting(self) -> str:
        """The hash of the one entry that waits."""
        answer = await self.http.get("/publications", params={"state": "waiting"}, headers=BEARER)
        [entry] = answer.json()["entries"]
        return str(entry["sha256"])

    async def texts(self) -> str:
        """What anybody can read: the list, the entry's page and the feed."""
        paths = ("/hall?lang=en", f"/hall/{INQUIRY}?lang=en", "/hall/feed.json")
        return "\n".join([(await self.http.get(path)).text for path in paths])

    async def shown(self) -> HallEntry | None:
        """The entry on its page, which is also what list and feed have."""
        entry = await self.store.entry(INQUIRY)
        assert [one.inquiry_id for one in await self.store.hall_page(None, 10)] == ([] if entry is None else [INQUIRY])
        return entry


@pytest.fixture
async def hall(database: Database, settings: Settings) -> Hall:
    one = Hall(database, settings)
    await one.store.prepare()
    return one


def then(story: Story, *steps: Step) -> Story:
    return told(*steps, after_this=story)


def hall_messages(story: Story) -> list[CoreMessage]:
    """The answer, and the decisions about the hall."""
    found = [one for one in heard(story) if isinstance(one, ResidentMessage)]
    return [one for one in found if one.told.what in ("answered", "published", "hidden", "redacted")]


async def test_nobody_sees_an_answer_before_a_person_publishes_its_version(hall: Hall) -> None:
    await hall.hear(STORY)
    assert await hall.shown() is None
    assert "三单元" not in await hall.texts()
    await hall.hear(then(STORY, published(await hall.waiting())))
    assert "三单元" in await hall.texts()
    assert "13800138000" not in await hall.texts()


async def test_a_publication_of_another_hash_shows_nothing_and_waits(hall: Hall) -> None:
    await hall.hear(then(STORY, published("0" * 64)))
    assert await hall.shown() is None
    assert await hall.waiting()


async def test_a_publication_that_comes_before_the_masking_is_kept(hall: Hall) -> None:
    await hall.hear(STORY)
    text_hash = await hall.waiting()
    await erase_masked(hall)
    await hall.hear(then(STORY, published(text_hash)), mask=False)
    assert await hall.shown() is None
    await hall.masking.mask_waiting()
    assert await hall.shown() is not None


async def erase_masked(hall: Hall) -> None:
    """The store of a notifier that has not masked anything yet."""
    for collection in (hall.store.hall, hall.store.versions.versions, hall.store.unmasked):
        await collection.delete_many({})


async def test_what_was_masked_is_never_masked_again(hall: Hall) -> None:
    await hall.hear(STORY)
    await hall.hear(then(STORY, published(await hall.waiting())))
    await hall.hear(STORY)
    assert await hall.masking.mask_waiting() == 0
    entry = await hall.shown()
    assert entry is not None
    await hall.store.versions.add(replace(entry, body="另一次隐去的结果"))
    assert await hall.shown() == entry


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5], ids=str)
async def test_any_order_and_any_repeat_gives_the_same_entry(hall: Hall, order: Sequence[int]) -> None:
    await hall.hear(STORY)
    text_hash = await hall.waiting()
    await erase_masked(hall)
    story = then(STORY, published(text_hash), redacted("三单元", text_hash), hidden(text_hash))
    messages = hall_messages(story)
    for at in (*order, *reversed(order)):
        await hall.notices.take([messages[at]])
        await hall.masking.mask_waiting()
    assert await hall.shown() is None
    await hall.hear(then(story, published(sha256_of_redacted(await hall.store.versions.reviewed(INQUIRY)), "核对过")))
    assert "三单元" not in await hall.texts()
    assert await hall.shown() is not None


def sha256_of_redacted(reviewed: object) -> str:
    return str(reviewed.newest.sha256)  # type: ignore[attr-defined]


async def test_two_processes_at_once_end_with_everything_decided(database: Database, settings: Settings) -> None:
    """Masking and several handlers settle the same inquiry at the same time; the last state has all of it."""
    halls = [Hall(database, settings) for _ in range(4)]
    await halls[0].store.prepare()
    await halls[0].hear(STORY)
    text_hash = await halls[0].waiting()
    for _ in range(5):
        await erase_masked(halls[0])
        story = then(STORY, published(text_hash), redacted("三单元", text_hash))
        messages = hall_messages(story)
        await halls[0].notices.take(messages[:1])
        await asyncio.gather(
            *(one.notices.take(messages[1:]) for one in halls[1:]),
            *(one.notices.take(messages[1:2]) for one in halls),
            *(one.masking.mask_waiting() for one in halls),
        )
        entry = await halls[0].shown()
        assert entry is not None
        assert (entry.redactions, "三单元" in entry.body) == (1, False)


async def test_a_process_that_dies_after_it_stored_a_version_loses_nothing(hall: Hall) -> None:
    await hall.hear(then(STORY, published("0" * 64)), mask=False)
    [claimed] = await hall.store.claim_unmasked(timestamps.now(), 1)
    await hall.store.versions.versions.insert_one(
        {**entry_document(claimed.entry), "_id": f"{INQUIRY}/2", "inquiry_id": INQUIRY}
        | {"sha256": sha256_of(claimed.entry), "of": None}
    )
    # Killed here: the claim runs out, and the reply is masked again, without effect on the stored version.
    await hall.store.unmasked.update_one({}, {"$set": {"due_at": timestamps.now()}})
    assert await hall.masking.mask_waiting() == 1
    assert await hall.waiting() == sha256_of(claimed.entry)


async def test_hidden_entries_leave_pages_and_feed_at_once(hall: Hall) -> None:
    await hall.hear(STORY)
    story = then(STORY, published(await hall.waiting()))
    await hall.hear(story)
    await hall.hear(then(story, hidden(None)))
    assert "三单元" not in await hall.texts()
    assert (await hall.http.get(f"/hall/{INQUIRY}")).status_code == 404
    [entry] = (await hall.http.get("/publications", headers=BEARER)).json()["entries"]
    assert (entry["state"], entry["shown_sha256"]) == ("hidden", None)


async def test_a_correction_waits_and_the_page_says_that_the_reply_has_changed(hall: Hall) -> None:
    await hall.hear(STORY)
    story = then(STORY, published(await hall.waiting()), corrected("lighting", "亮了两盏，请打 13800138000"))
    await hall.hear(story)
    page = (await hall.http.get(f"/hall/{INQUIRY}?lang=en")).text
    assert ("亮了两盏" in page, "This reply has been changed since" in page) == (False, True)
    before = await hall.shown()
    story = then(story, published(await hall.waiting()))
    await hall.hear(story)
    page = (await hall.http.get(f"/hall/{INQUIRY}?lang=en")).text
    assert [words for words in ("亮了两盏", "亮了", "The department corrected its text") if words not in page] == []
    assert ("13800138000" in page, "This reply has been changed since" in page) == (False, False)
    [item] = (await hall.http.get("/hall/feed.json")).json()["items"]
    assert before is not None
    assert (item["date_published"], item["date_modified"] > before.answered_at) == (before.answered_at, True)
    assert item["content_text"].count("亮了") == 2


async def test_a_retraction_is_shown_beside_the_text(hall: Hall) -> None:
    await hall.hear(STORY)
    story = then(STORY, published(await hall.waiting()), retracted(words="张小明的说法有误"))
    await hall.hear(story)
    await hall.hear(then(story, published(await hall.waiting())))
    page = (await hall.http.get(f"/hall/{INQUIRY}?lang=en")).text
    assert [words for words in ("亮了", "This text no longer holds", "有误") if words not in page] == []
    assert "no longer holds" not in (await hall.http.get("/hall/feed.json")).json()["items"][0]["title"]


async def test_each_entry_links_to_the_form_that_reports_it(hall: Hall) -> None:
    await hall.hear(STORY)
    await hall.hear(then(STORY, published(await hall.waiting())))
    page = (await hall.http.get(f"/hall/{INQUIRY}?lang=en")).text
    assert f'href="http://intake.example/report?ticket={INQUIRY}&amp;lang=en"' in page


async def test_the_list_marks_what_was_found_and_needs_a_token(hall: Hall) -> None:
    await hall.hear(STORY)
    assert (await hall.http.get("/publications")).status_code == 401
    assert (await hall.http.get(f"/publications/{INQUIRY}")).status_code == 401
    [entry] = (await hall.http.get("/publications", headers=BEARER)).json()["entries"]
    assert (entry["body"], entry["found"]) == ("请打 ＊＊＊，我住三单元。", {"body": 1})
    assert entry == (await hall.http.get(f"/publications/{INQUIRY}", headers=BEARER)).json()
    for path, status in (
        ("?state=x", 422),
        ("?after=20260316-ZZZZZZZZ", 404),
        ("/20260316-ZZZZZZZZ", 404),
        ("?x=1", 422),
    ):
        assert (await hall.http.get(f"/publications{path}", headers=BEARER)).status_code == status
    assert (await hall.http.get("/publications?state=published", headers=BEARER)).json()["entries"] == []


async def test_the_list_has_pages(hall: Hall) -> None:
    for number in range(3):
        entry = HallEntry(f"20260316-0000000{number}", 1, 1, "2026-03-16T05:00:00.000Z", "zh", "路灯", "不亮", ())
        await hall.store.versions.add(entry)
    first = (await hall.http.get("/publications?limit=2", headers=BEARER)).json()
    second = (await hall.http.get(f"/publications?limit=2&after={first['next']}", headers=BEARER)).json()
    found = [one["inquiry_id"][-1] for one in (*first["entries"], *second["entries"])]
    assert (found, second["next"]) == (["0", "1", "2"], None)


async def test_an_erasure_deletes_versions_and_decisions_and_nothing_comes_back(hall: Hall) -> None:
    await hall.hear(STORY)
    story = then(STORY, published(await hall.waiting()), redacted("三单元", await hall.waiting()))
    await hall.hear(story)
    await erase(hall.store, INQUIRY, len(story.decisions))
    for _ in range(2):
        for collection in (hall.store.hall, hall.store.versions.versions, hall.store.unmasked):
            assert await collection.count_documents({}) == 0
        await hall.hear(story)
        await hall.store.versions.settle(INQUIRY, [HallDecision(3, "redacted", "0" * 64, "三单元")])


async def test_an_entry_of_an_earlier_release_stays_and_can_be_hidden(hall: Hall) -> None:
    entry = HallEntry(INQUIRY, 2, 1, "2026-03-16T05:00:00.000Z", "zh", "路灯", "不亮", ())
    former = entry_document(entry)
    for field in ("changes", "redactions", "changed_at", "is_outdated"):
        del former[field]
    await hall.store.hall.insert_one(former)
    await hall.store.prepare()
    assert await hall.shown() == entry
    assert (await hall.store.versions.reviewed(INQUIRY)) is not None
    await hall.store.versions.decide([(INQUIRY, HallDecision(5, "hidden", version_of(entry).sha256))])
    assert await hall.shown() is None
