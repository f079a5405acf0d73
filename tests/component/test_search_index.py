"""The search index: it is rebuilt from decisions, an erasure leaves nothing in it, and it can be killed anywhere."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.router.desk.case_list import CaseList, read_row
from services.router.desk.search_filling import SearchFilling
from services.router.domain.search.grams import gram
from services.router.domain.search.query import terms
from services.router.erasure import erase
from services.router.stores import search_index
from services.router.stores.search_index import SearchIndex
from services.router.stores.store import RouterStore
from shared.kafka import topics
from shared.ledger.ledger import Ledger
from tests.asking import ASKING, added, asked, extension_asked
from tests.builders import (
    INQUIRY,
    MONDAY_NOON,
    contributed,
    drafted,
    rated,
    received,
    record_of,
    replied,
    told,
)
from tests.component.searching import fill, listed, soon
from tests.component.test_case_search import a_case, number
from tests.component.test_desk import Office, office
from tests.endings import inquiry_withdrawn, linked, refused
from tests.publishing import published, reported

__all__ = ["office"]

LIFE = (received("路灯和路面", body="半个月了"), replied("roads", "已派巡查"), contributed("roads", "补好坑洞"))


async def index(store: RouterStore) -> dict[str, set[int]]:
    """The numbers of each case."""
    found: dict[str, set[int]] = {}
    async for one in store.search.collection.find({}):
        numbers = found.setdefault(one["_id"].rsplit("/", 1)[0], set())
        assert not numbers.intersection(one["grams"])
        numbers.update(one["grams"])
    return found


def after_the_lease() -> datetime:
    return soon() + timedelta(hours=1)


async def views(store: RouterStore) -> list[Any]:
    lists = [
        await one.find({}).sort("_id", 1).to_list(None) for one in (store.cases.collection, store.worklist.collection)
    ]
    return [await index(store), *lists]


class NoLetters:
    async def erase(self, inquiry_id: str) -> None: ...


async def erased(office: Office, inquiry_id: str, through: int) -> None:
    letters: Any = NoLetters()
    await erase(
        office.store, Ledger(office.store.decisions.collection.database, "commands"), letters, inquiry_id, through
    )


async def test_the_index_and_the_lists_are_rebuilt_equal_from_the_decisions(office: Office) -> None:
    office.city.use(ASKING.city.model_copy(update={"revision": 2}))
    asks = (received("路灯"), asked("lighting"), added(), extension_asked("lighting", MONDAY_NOON + timedelta(days=20)))
    lives = (
        told(*LIFE, city=ASKING),
        told(received("水管"), linked(), refused(), city=ASKING, inquiry_id=number(1)),
        told(
            received("路灯"),
            drafted("lighting", "草稿"),
            contributed("lighting", "亮了"),
            rated(),
            city=ASKING,
            inquiry_id=number(2),
        ),
        told(*asks, city=ASKING, inquiry_id=number(3)),
        told(
            received("路灯", public=True),
            contributed("lighting", "亮了"),
            published(),
            reported(),
            city=ASKING,
            inquiry_id=number(4),
        ),
        told(*asks, inquiry_withdrawn(), city=ASKING, inquiry_id=number(5)),
        told(*asks[:2], city=ASKING, inquiry_id=number(6)),
    )
    for life in lives:
        for n in range(1, len(life.inputs) + 1):
            await office.decide(told_until(life, n))
            await fill(office.store)
    before = canonical(await views(office.store))
    for one in (office.store.cases, office.store.search, office.store.worklist):
        await one.collection.delete_many({})
    decisions = [one async for one in RouterStore(office.store.decisions.collection.database).decisions.in_order("")]
    assert len(decisions) == sum(len(life.decisions) for life in lives)
    events = [message for one in decisions for message in one.messages if message.topic == topics.EVENTS]
    await CaseList(office.store).follow([read_row(record_of(one)) for one in events])
    await fill(office.store)
    assert canonical(await views(office.store)) == before
    states = [one["state"] for one in json.loads(before)[1]]
    assert sorted(set(states)) == ["answered", "awaiting-resident", "in-progress", "refused", "withdrawn"]


def canonical(found: Any) -> str:
    """JSON with sorted keys and without spaces; a set as a sorted list."""
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=sorted)


def told_until(story: Any, n: int) -> Any:
    return type(story)(story.case, story.decisions[:n], story.inputs[:n])


async def test_a_sweep_finds_what_a_restored_store_lacks(office: Office) -> None:
    await office.decide(told(*LIFE), a_case(1, "水管"))
    await fill(office.store)
    before = await index(office.store)
    filling = SearchFilling(office.store, soon)
    assert await filling.mark_missing() == 0
    await office.store.search.collection.delete_many({})
    await office.store.cases.collection.update_many({}, {"$unset": {"searched": ""}})
    assert await filling.mark_missing() == 2
    await fill(office.store)
    assert await index(office.store) == before


async def test_more_texts_add_documents_and_unchanged_ones_are_not_written_again(office: Office) -> None:
    first = told(*LIFE[:1])
    await office.decide(first)
    await fill(office.store)
    [before] = await office.store.search.collection.find({}).to_list(None)
    await office.decide(told(*LIFE[1:], after_this=first))
    await fill(office.store)
    after = await office.store.search.collection.find({}).to_list(None)
    assert before in after
    assert len(after) == 2


async def test_a_long_text_is_indexed_in_several_documents(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "GRAMS_PER_DOCUMENT", 10)
    text = "".join(chr(0x4E00 + 7 * n) for n in range(200))
    await office.decide(a_case(1, "路灯", body=text))
    await fill(office.store)
    assert await listed(office, query=text[:50]) == await listed(office, query=text[150:]) == [number(1)]


# Erasure


def marks(text: str, *audiences: str) -> set[int]:
    return {gram(audience, one) for one in terms(text) for audience in ("*", *audiences)}


async def test_an_erasure_leaves_no_term_of_the_case(office: Office) -> None:
    life = told(*LIFE)
    await office.decide(life, a_case(1, "水管"))
    await fill(office.store)
    stored = set().union(*(await index(office.store)).values())
    for text in ("路灯和路面", "半个月了", "已派巡查", "补好坑洞"):
        assert marks(text, "roads") & stored
    await erased(office, INQUIRY, len(life.decisions))
    assert [one.partition("/")[2] for one in await index(office.store)] == [number(1)]
    await fill(office.store)
    assert len(await index(office.store)) == 1
    assert await listed(office, query="路灯") == []


async def test_an_erasure_while_the_case_is_indexed_leaves_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = told(*LIFE)
    await office.decide(life)
    replace = SearchIndex.replace

    async def after_an_erasure(self: SearchIndex, *given: Any) -> None:
        monkeypatch.setattr(SearchIndex, "replace", replace)
        await erased(office, INQUIRY, len(life.decisions))
        await replace(self, *given)

    monkeypatch.setattr(SearchIndex, "replace", after_an_erasure)
    await SearchFilling(office.store, soon).round()
    assert await index(office.store) == {}
    await fill(office.store)
    assert await index(office.store) == {}


# Crashes


class Killed(Exception):
    pass


@pytest.mark.parametrize("step", ["replace", "done"])
async def test_a_process_that_is_killed_while_it_indexes_leaves_the_work_to_another(
    office: Office, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await office.decide(told(*LIFE))

    async def killed(*given: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(SearchIndex, step, killed)
        with pytest.raises(Killed):
            await SearchFilling(office.store, soon).round()
    assert await SearchFilling(office.store, soon).round() == 0
    assert await SearchFilling(office.store, after_the_lease).round() == 1
    assert await office.store.search.pending.count_documents({}) == 0
    assert await listed(office, query="坑洞") == [INQUIRY]


async def test_an_event_that_comes_while_its_case_is_indexed_has_it_indexed_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = told(*LIFE[:1])
    await office.decide(first)
    replace = SearchIndex.replace

    async def after_an_event(self: SearchIndex, *given: Any) -> None:
        monkeypatch.setattr(SearchIndex, "replace", replace)
        await office.decide(told(*LIFE[1:], after_this=first))
        await replace(self, *given)

    monkeypatch.setattr(SearchIndex, "replace", after_an_event)
    await SearchFilling(office.store, soon).round()
    assert await office.store.search.pending.count_documents({}) == 1
    await fill(office.store)
    assert await listed(office, query="坑洞") == [INQUIRY]


async def test_two_processes_that_index_the_same_case_leave_it_whole(office: Office) -> None:
    life = told(*LIFE)
    await office.decide(life)
    await fill(office.store)
    expected = await index(office.store)
    [(place, numbers)] = expected.items()
    await office.store.search.collection.insert_one({"_id": f"{place}/twice", "inquiry_id": INQUIRY, "grams": [1, 2]})
    await office.store.search.mark([INQUIRY], soon())
    await SearchFilling(office.store, after_the_lease).round()
    assert await index(office.store) == {place: numbers}


async def test_a_new_case_does_not_wait_for_those_of_an_import_and_those_do_not_wait_for_ever(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, orders = office.store.search, list[bool]()
    await search.mark(["imported-1", "imported-2"], soon() - timedelta(minutes=5))
    await search.mark(["today"], soon())
    assert [one["_id"] for one in await search.claim(soon(), 60, 1, newest_first=True)] == ["today"]
    [oldest] = await search.claim(soon(), 60, 1, newest_first=False)
    assert oldest["_id"].startswith("imported")

    async def noted(*given: Any, newest_first: bool) -> list[Any]:
        orders.append(newest_first)
        return []

    monkeypatch.setattr(SearchIndex, "claim", noted)
    filling = SearchFilling(office.store, soon)
    for _ in range(4):
        await filling.round()
    assert orders == [True, False, True, False]
