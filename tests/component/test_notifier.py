"""The notifier on a real store: each notice is stored once; the hall shows the newest round."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from services.notifier import api, pages
from services.notifier.domain.hall import HallEntry, UnmaskedEntry
from services.notifier.hall_masking import HallMasking
from services.notifier.handlers import Notices, read
from services.notifier.responses import FeedItem
from services.notifier.store import LEASE_S, NotifierStore
from services.notifier.views import HERE as HALL
from shared.city import City
from shared.contracts.resident_messages import Paragraph, Reply
from shared.events.case_events import PartOfferedEvent
from shared.http import problems
from shared.kafka import topics
from shared.kafka.failures import DependencyUnavailable
from shared.masking.case import CaseTexts, Masked
from shared.masking.worker import MaskingUnavailable
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import CoreMessage, Event, ResidentMessage
from shared.store.mongo import Database, Document
from shared.web.error_pages import error_pages
from tests.builders import CITY, INQUIRY, WRITER, Story, a_record, contributed, received, record_of, told
from tests.fakes import MaskerInProcess
from tests.hall import in_hall
from tests.mailing import KEYS
from tests.publishing import AUTOMATIC

pytestmark = pytest.mark.both_clients

STORY = told(
    received("路灯不亮", "三号楼", contact=WRITER, public=True), contributed("lighting", "亮了"), city=AUTOMATIC
)


@pytest.fixture
async def store(database: Database) -> NotifierStore:
    one = NotifierStore(database, KEYS)
    await one.prepare()
    return one


def knowing(revision: City) -> CityFeed[City]:
    city: CityFeed[City] = CityFeed(lambda revision: revision)
    city.use(revision)
    return city


async def up_to_date() -> bool:
    return False


@pytest.fixture
def notices(store: NotifierStore) -> Notices:
    city = knowing(CITY)
    return Notices(store, city, up_to_date)


@pytest.fixture
def masking(store: NotifierStore) -> HallMasking:
    return HallMasking(store, knowing(CITY), MaskerInProcess())


def heard(story: Story) -> list[CoreMessage]:
    rows = [record_of(one, n) for n, one in enumerate(story.messages) if ".inbox" not in one.topic[:-6]]
    return [one for one in map(read, rows) if one]


async def deliveries(store: NotifierStore) -> dict[str, Document]:
    return {one["_id"]: one async for one in store.mails.deliveries.find({})}


# ── notices ──────────────────────────────────────────────────────────────────


async def test_notices_create_one_delivery_each_and_repeats_none(notices: Notices, store: NotifierStore) -> None:
    batch = heard(STORY)
    await notices.take(batch)
    first = await deliveries(store)
    assert sorted(one["kind"] for one in first.values()) == ["department", "resident", "resident", "resident"]
    assert {one["to"] for one in first.values()} == {WRITER.email, "desk@lighting.example"}
    await notices.take(batch)
    await notices.take(list(reversed(batch)))
    assert await deliveries(store) == first


async def test_a_department_without_an_address_gets_no_mail(store: NotifierStore) -> None:
    silent = CITY.model_copy(
        update={"departments": tuple(one.model_copy(update={"email": None}) for one in CITY.departments)}
    )
    city = knowing(silent)
    await Notices(store, city, up_to_date).take(heard(STORY))
    assert {one["kind"] for one in (await deliveries(store)).values()} == {"resident"}


async def test_a_batch_waits_until_a_city_is_known(store: NotifierStore) -> None:
    with pytest.raises(DependencyUnavailable):
        await Notices(store, CityFeed(lambda revision: revision), up_to_date).take(heard(STORY))
    assert await deliveries(store) == {}


def without_lighting() -> City:
    others = tuple(one for one in CITY.departments if one.code != "lighting")
    return CITY.model_copy(update={"departments": others, "rules": (), "revision": 1})


async def test_an_offer_to_an_unknown_department_waits_for_the_next_revision(
    store: NotifierStore,
) -> None:
    city = knowing(without_lighting())

    async def behind() -> bool:
        return city.current().revision < 2

    notices = Notices(store, city, behind)
    with pytest.raises(DependencyUnavailable):
        await notices.take(heard(STORY))
    city.use(CITY.model_copy(update={"revision": 2}))
    await notices.take(heard(STORY))
    assert "department" in {one["kind"] for one in (await deliveries(store)).values()}


async def test_a_revision_that_arrives_during_the_lookup_is_used(store: NotifierStore) -> None:
    city = knowing(without_lighting())

    async def just_read() -> bool:
        city.use(CITY.model_copy(update={"revision": 2}))
        return False

    await Notices(store, city, just_read).take(heard(STORY))
    assert "department" in {one["kind"] for one in (await deliveries(store)).values()}


async def test_an_offer_to_a_department_in_no_revision_does_not_block(notices: Notices, store: NotifierStore) -> None:
    strangers = [
        replace(one, body=replace(one.body, department="nobody"))
        if isinstance(one, Event) and isinstance(one.body, PartOfferedEvent)
        else one
        for one in heard(STORY)
    ]
    await notices.take(strangers)
    assert {one["kind"] for one in (await deliveries(store)).values()} == {"resident"}


def test_events_without_notices_are_skipped() -> None:
    events = [record_of(one) for one in STORY.messages if one.topic == topics.EVENTS]
    assert [one.type for one in map(read, events) if isinstance(one, Event)] == ["chorus.part.offered"]
    later = a_record(b"{}", dict(events[0].headers, ce_type=b"chorus.x").items(), topic=topics.RESIDENTS)
    assert read(later) is None


# ── the hall ─────────────────────────────────────────────────────────────────


def hall_entry(inquiry_id: str, at: str) -> HallEntry:
    return HallEntry(inquiry_id, 1, 1, at, "zh", "路灯", "不亮", ())


def answers() -> list[ResidentMessage]:
    """The answer of the story, and its publication by the policy."""
    told_of = [one for one in heard(STORY) if isinstance(one, ResidentMessage)]
    return [one for one in told_of if one.told.what in ("answered", "published")]


def round_two(one: ResidentMessage) -> ResidentMessage:
    reply = Reply(text="再修好了", paragraphs=(Paragraph(department="roads", name="道路处", text="再修好了"),))
    case = one.told.case.model_copy(update={"round": 2, "reply": reply})
    return replace(one, id=f"{one.id}-2", n=one.n + 5, told=one.told.model_copy(update={"case": case}))


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1)])
async def test_the_hall_shows_the_newest_round_in_any_order_of_arrival(
    notices: Notices, masking: HallMasking, store: NotifierStore, order: tuple[int, ...]
) -> None:
    rounds = (answers(), [round_two(one) for one in answers()])
    for number in order:
        await notices.take(rounds[number])
        await masking.mask_waiting()
    [entry] = await store.hall_page(None, 10)
    assert (entry.inquiry_id, entry.round, entry.paragraphs[0].text) == (INQUIRY, 2, "再修好了")
    assert "writer@mail.example" not in str(entry)


async def test_of_two_rounds_in_one_batch_the_newer_is_shown(
    notices: Notices, masking: HallMasking, store: NotifierStore
) -> None:
    await notices.take([*answers(), *(round_two(one) for one in answers())])
    await masking.mask_waiting()
    assert [one.round for one in await store.hall_page(None, 10)] == [2]


class Dying:
    """A masker whose process dies a few times."""

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths

    async def mask(self, case: CaseTexts) -> Masked:
        if self.deaths:
            self.deaths -= 1
            raise MaskingUnavailable("The process that masks died.")
        return await MaskerInProcess().mask(case)


async def test_an_answer_waits_unmasked_and_is_seen_by_nobody_until_it_is_masked(
    notices: Notices, masking: HallMasking, store: NotifierStore
) -> None:
    steps = (received("路灯，请打 13800138000", public=True), contributed("lighting", "好"))
    await notices.take(heard(told(*steps, city=AUTOMATIC)))
    assert await store.hall_page(None, 10) == []
    assert await store.unmasked.count_documents({}) == 1
    assert await masking.mask_waiting() == 1
    [entry] = await store.hall_page(None, 10)
    assert entry.subject == "路灯，请打 ＊＊＊"
    assert await store.unmasked.count_documents({}) == await masking.mask_waiting() == 0


async def test_what_could_not_be_masked_is_masked_later_and_mails_have_not_waited(
    notices: Notices, store: NotifierStore
) -> None:
    masking = HallMasking(store, knowing(CITY), Dying(1))
    await notices.take(heard(STORY))
    assert len(await deliveries(store)) == 4
    await masking.mask_waiting()
    assert await store.hall_page(None, 10) == []
    [waiting] = [one async for one in store.unmasked.find({})]
    assert (waiting["attempts"], waiting["due_at"] > timestamps.now()) == (1, True)
    await store.unmasked.update_one({}, {"$set": {"due_at": timestamps.now()}})
    await masking.mask_waiting()
    assert len(await store.hall_page(None, 10)) == 1


async def test_a_claim_of_the_dead_runs_out_and_the_answer_is_masked(notices: Notices, store: NotifierStore) -> None:
    await notices.take(heard(STORY))
    now = timestamps.now()
    assert len(await store.claim_unmasked(now, 10)) == 1
    assert await store.claim_unmasked(now, 10) == []
    assert len(await store.claim_unmasked(now + timedelta(seconds=LEASE_S + 1), 10)) == 1


async def test_a_later_round_that_comes_while_the_first_is_masked_is_not_lost(
    notices: Notices, masking: HallMasking, store: NotifierStore
) -> None:
    await notices.take(answers())
    [first] = await store.claim_unmasked(timestamps.now(), 10)
    await notices.take([round_two(one) for one in answers()])
    await store.versions.add(first.entry)
    await store.forget_unmasked(first)
    await masking.mask_waiting()
    assert [one.round for one in await store.hall_page(None, 10)] == [2]


async def test_without_a_city_nothing_is_masked(store: NotifierStore) -> None:
    with pytest.raises(DependencyUnavailable):
        await HallMasking(store, CityFeed(lambda revision: revision), MaskerInProcess()).mask_waiting()


async def test_an_erasure_takes_an_answer_that_waits(
    notices: Notices, masking: HallMasking, store: NotifierStore
) -> None:
    await notices.take(heard(STORY))
    await store.erase_entry(INQUIRY, 100)
    assert await store.unmasked.count_documents({}) == await masking.mask_waiting() == 0


async def test_an_unmasked_answer_is_read_back_as_it_was(store: NotifierStore) -> None:
    given = UnmaskedEntry(hall_entry(INQUIRY, "2026-03-16T05:00:00.000Z"), WRITER)
    await store.add_unmasked([given], timestamps.now())
    [claimed] = await store.claim_unmasked(timestamps.now(), 1)
    assert replace(claimed, claim=None) == given


async def test_entries_survive_a_round_trip(store: NotifierStore) -> None:
    entry = replace(
        hall_entry(INQUIRY, "2026-03-16T05:00:00.000Z"),
        paragraphs=(Paragraph(department="roads", name="道路处", text="补了"),),
    )
    await in_hall(store, entry)
    assert await store.entry(INQUIRY) == entry


async def test_the_hall_is_paginated_newest_first(store: NotifierStore) -> None:
    numbers = [f"20260316-0000000{n}" for n in range(5)]
    times = ["04", "06", "05", "06", "07"]
    await in_hall(store, *(hall_entry(one, at) for one, at in zip(numbers, times, strict=True)))
    first = await store.hall_page(None, 2)
    second = await store.hall_page(first[-1].inquiry_id, 2)
    third = await store.hall_page(second[-1].inquiry_id, 2)
    assert [one.inquiry_id[-1] for one in (*first, *second, *third)] == ["4", "3", "1", "2", "0"]


async def test_an_unknown_place_in_the_hall_is_404(store: NotifierStore, settings: Settings) -> None:
    await in_hall(store, hall_entry(INQUIRY, "2026-03-16T04:00:00Z"))
    async with over_http(store, settings) as http:
        for path, accept, kind in (
            ("/hall", "text/html", "text/html; charset=utf-8"),
            ("/hall", "*/*", "application/problem+json"),
            ("/hall/feed.json", "*/*", "application/problem+json"),
        ):
            answer = await http.get(path, params={"after": "20260316-ZZZZZZZZ"}, headers={"Accept": accept})
            assert (answer.status_code, answer.headers["content-type"]) == (404, kind)
            assert (await http.get(path, params={"after": INQUIRY})).status_code == 200
            assert (await http.get(path, params={"after": ""})).status_code == 200


async def test_the_feed_refuses_unknown_fields(store: NotifierStore, settings: Settings) -> None:
    async with over_http(store, settings) as http:
        answer = await http.get("/hall/feed.json?befor=x")
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert (await http.get("/hall?utm_source=x")).status_code == 200


def test_a_feed_title_that_turns_direction_is_isolated() -> None:
    titles = {
        "路灯不亮": "路灯不亮",
        "مصباح الشارع": "\u2068مصباح الشارع\u2069",
        "lamp \u202egnirts": "\u2068lamp gnirts\u2069",
        "a \u2069 b": "\u2068a b\u2069",
    }
    for subject, title in titles.items():
        entry = replace(hall_entry(INQUIRY, "04"), subject=subject)
        assert FeedItem.of(entry, "https://hall.example").title == title


@asynccontextmanager
async def over_http(store: NotifierStore, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the hall, without a city."""
    app = FastAPI()
    problems.install(app, error_pages(HALL))
    app.include_router(api.routes(store, settings))
    app.include_router(pages.routes(store, CityFeed(lambda revision: revision), settings, HALL))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hall.example") as http:
        yield http


# ── over HTTP ────────────────────────────────────────────────────────────────


async def test_an_unknown_entry_is_an_error_page_or_a_problem(store: NotifierStore, settings: Settings) -> None:
    async with over_http(store, settings) as http:
        for accept, media_type in (
            ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
            ("*/*", "text/html"),
            ("application/json", "application/problem+json"),
            ("application/problem+json, application/json", "application/problem+json"),
        ):
            answer = await http.get(f"/hall/{INQUIRY}", headers={"Accept": accept})
            assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (404, media_type)
        feed = await http.get("/hall/feed.json", headers={"Accept": "application/json"})
        assert (feed.status_code, feed.headers["content-type"], feed.json()["items"]) == (
            200,
            "application/feed+json",
            [],
        )
