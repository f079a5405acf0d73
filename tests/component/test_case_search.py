"""Full-text search at the desk: what it finds, for whom, and that its work is limited."""

from datetime import timedelta
from typing import Any

import pytest

from services.router.desk import case_search
from services.router.domain.city_index import CityIndex
from services.router.domain.search.grams import gram
from services.router.domain.staff import StaffUser
from services.router.stores.search_index import SearchIndex
from shared.contracts.fields import Contact
from tests.builders import (
    DIRECTORY,
    MONDAY_NOON,
    Story,
    contributed,
    drafted,
    rated,
    received,
    replied,
    returned,
    told,
)
from tests.component.searching import ask, fill, listed, page
from tests.component.staff import APPROVER_OF_WATER, LIGHTING, OPERATOR, ROADS
from tests.component.test_delegation_at_the_desk import INDEX, city
from tests.component.test_desk import Office, office, problem
from tests.delegating import delegated
from tests.releasing import ONE, releasing_city, reply_edited

__all__ = ["office"]

CONTACT = Contact(name="陈测试甲", phone="13900000000", email="writer@mail.example")


def number(n: int) -> str:
    return f"20260316-{n:08}"


def a_case(n: int, subject: str, *steps: Any, city: CityIndex = DIRECTORY, **message: Any) -> Story:
    """A case received n minutes after noon."""
    at = MONDAY_NOON + timedelta(minutes=n)
    return told(received(subject, received_at=at, **message), *steps, city=city, inquiry_id=number(n))


async def decide(office: Office, *stories: Story) -> None:
    await office.decide(*stories)
    await fill(office.store)


# ── what is found ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query", ["路灯", "路燈", "人民路 路灯", "不亮 人民", "人民路路灯不亮", "路灯，不亮", "ｌｅｄ", "LED 路灯"]
)
async def test_a_case_is_found_by_its_words(office: Office, query: str) -> None:
    await decide(office, a_case(1, "人民路路灯不亮", body="是Led灯。"), a_case(2, "水管漏水"))
    assert await listed(office, query=query) == [number(1)]


@pytest.mark.parametrize("query", ["灯路", "路灯 水管", "民灯", "ed灯"])
async def test_a_case_is_not_found_by_other_words(office: Office, query: str) -> None:
    await decide(office, a_case(1, "人民路路灯不亮", body="是Led灯。"), a_case(2, "水管漏水"))
    assert await listed(office, query=query) == []


async def test_a_case_is_found_by_contribution_interim_reply_and_joint_reply(office: Office) -> None:
    working = a_case(1, "路灯和路面", replied("roads", "已派巡查"), contributed("roads", "补好坑洞"))
    await decide(office, working, a_case(2, "路灯", contributed("lighting", "换了灯泡")))
    assert await listed(office, query="巡查") == await listed(office, query="坑洞 路面") == [number(1)]
    assert await listed(office, query="灯泡") == await listed(office, query="路灯管理所") == [number(2)]


async def test_a_case_is_found_by_its_ticket_number_however_it_is_typed(office: Office) -> None:
    await decide(office, a_case(1, "路灯"), a_case(2, f"我的{number(1)}没有答复"))
    for typed in (number(1), "２０２６０３１６ 0000000l", "20260316—00000001"):
        assert await listed(office, query=typed) == [number(1)]
    assert await page(office, query=number(1), after=number(1)) == ([], None)
    assert await listed(office, query=number(1), state="answered") == []
    assert await listed(office, query="20260316 没有答复") == [number(2)]


async def test_the_number_of_another_departments_case_finds_nothing(office: Office) -> None:
    await decide(office, a_case(1, "路灯"), a_case(2, "水管"))
    assert await listed(office, LIGHTING, query=number(1)) == [number(1)]
    assert await listed(office, LIGHTING, query=number(2)) == []


async def test_filters_and_words_are_combined(office: Office) -> None:
    answered = a_case(1, "路灯", contributed("lighting", "亮了"))
    await decide(office, answered, a_case(2, "路灯和路面"), a_case(3, "水管"))
    assert await listed(office, query="路灯") == [number(2), number(1)]
    assert await listed(office, query="路灯", state="answered") == [number(1)]
    assert await listed(office, query="路灯", department="roads") == [number(2)]


async def test_contacts_and_drafts_are_not_searched(office: Office) -> None:
    story = a_case(1, "路灯", drafted("lighting", "草稿内容"), contact=CONTACT, confidential=True)
    await decide(office, story)
    for secret in ("陈测试甲", "13900000000", "writer@mail.example", "草稿"):
        for who in (OPERATOR, LIGHTING):
            assert await listed(office, who, query=secret) == []


async def test_a_text_that_changed_is_found_by_its_new_words_only(office: Office) -> None:
    office.city.use(releasing_city(1, revision=2))
    first = a_case(1, "路灯", contributed("lighting", "换了灯泡"), city=ONE)
    await decide(office, first)
    assert await listed(office, query="灯泡") == [number(1)]
    await decide(office, told(contributed("lighting", "重接电缆"), city=ONE, after_this=first))
    assert [await listed(office, query=query) for query in ("灯泡", "电缆", "路灯")] == [[], [number(1)], [number(1)]]


# ── who finds what ───────────────────────────────────────────────────────────

SECRET = "暗号内容"


@pytest.mark.parametrize(
    "step", [contributed("roads", SECRET), drafted("roads", SECRET), returned("roads", words=SECRET)]
)
async def test_a_clerk_does_not_find_another_departments_words_before_the_release(office: Office, step: Any) -> None:
    await decide(office, a_case(1, "路灯和路面", step))
    assert await page(office, LIGHTING, query=SECRET) == ([], None)
    assert await page(office, LIGHTING, query=f"路灯 {SECRET}") == ([], None)
    assert await listed(office, LIGHTING, query="路灯") == [number(1)]


async def test_a_department_finds_its_own_contribution_at_once_and_others_after_the_release(office: Office) -> None:
    first = a_case(1, "路灯和路面", contributed("roads", SECRET))
    await decide(office, first)
    assert await listed(office, ROADS, query=f"路面 {SECRET}") == [number(1)]
    assert await listed(office, LIGHTING, query=SECRET) == []
    await decide(office, told(contributed("lighting", "亮了"), after_this=first))
    assert await listed(office, LIGHTING, query=f"路面 {SECRET}") == [number(1)]


async def test_a_department_finds_only_cases_in_which_it_has_a_part(office: Office) -> None:
    both = a_case(1, "路灯和路面")
    await decide(office, both, a_case(2, "水管和路灯边上"), a_case(3, "路灯"))
    assert await listed(office, ROADS, query="路灯") == [number(1)]
    await decide(office, told(returned("roads"), after_this=both))
    assert await listed(office, ROADS, query="路灯") == []


async def test_the_work_for_a_clerk_does_not_depend_on_the_cases_of_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[str, ...]] = []
    places = SearchIndex.places

    async def noted(self: SearchIndex, *given: Any) -> list[str]:
        found.append(tuple(await places(self, *given)))
        return list(found[-1])

    monkeypatch.setattr(SearchIndex, "places", noted)
    await decide(office, a_case(1, "路灯", body="小区门口"))
    before = [await page(office, LIGHTING, query=query) for query in (SECRET, "小区")], list(found)
    found.clear()
    theirs = (a_case(n, "水管", contributed("water", SECRET), body=f"小区，{SECRET}") for n in range(2, 9))
    await decide(office, *theirs)
    assert ([await page(office, LIGHTING, query=query) for query in (SECRET, "小区")], found) == before
    assert len(await listed(office, query="小区")) == 8


async def test_a_piece_is_found_by_its_office_and_by_the_department_that_delegated_it(office: Office) -> None:
    office.city.use(city())
    steps = delegated("lighting", "roads"), contributed("roads", SECRET)
    story = told(received("路灯不亮", departments=("lighting", "water")), *steps, city=INDEX, inquiry_id=number(1))
    await decide(office, story)
    documents = await office.store.search.collection.find({}).to_list(None)
    numbers = {one for document in documents for one in document["grams"]}
    found = {audience: gram(audience, SECRET[:2]) in numbers for audience in ("*", "lighting", "roads", "water")}
    assert found == {"*": True, "lighting": True, "roads": True, "water": False}
    assert await listed(office, ROADS, query=SECRET) == await listed(office, LIGHTING, query=SECRET) == [number(1)]
    assert await listed(office, APPROVER_OF_WATER, query=SECRET) == []


async def test_words_of_a_rating_are_found(office: Office) -> None:
    await decide(office, a_case(1, "路灯", contributed("lighting", "亮了"), rated(words="还是太暗了")))
    assert await listed(office, LIGHTING, query="太暗") == await listed(office, query="太暗") == [number(1)]


async def test_an_interim_reply_is_for_every_department_of_the_case(office: Office) -> None:
    await decide(office, a_case(1, "路灯和路面", replied("roads", "已派巡查")))
    assert await listed(office, LIGHTING, query="巡查") == [number(1)]
    assert await listed(office, APPROVER_OF_WATER, query="巡查") == []


async def test_a_reply_before_its_release_is_found_by_its_lead_and_by_approvers(office: Office) -> None:
    office.city.use(releasing_city(1, revision=2))
    writes = contributed("lighting", "换了灯泡"), contributed("roads", SECRET), reply_edited(opening="尊敬的市民")
    pipes = a_case(
        2,
        "水管和路面",
        *(contributed(one, f"{one} {SECRET}") for one in ("water", "roads")),
        city=ONE,
        departments=("water", "roads"),
    )
    await decide(office, a_case(1, "路灯和路面", *writes, city=ONE), pipes)
    assert (
        await listed(office, query=f"尊敬 {SECRET}")
        == await listed(office, LIGHTING, query=f"尊敬 {SECRET}")
        == [number(1)]
    )
    assert await listed(office, ROADS, query=SECRET) == [number(2), number(1)]
    assert await listed(office, ROADS, query="灯泡") == await listed(office, ROADS, query="尊敬") == []
    assert await listed(office, APPROVER_OF_WATER, query=f"roads {SECRET}") == [number(2)]


# ── pages ────────────────────────────────────────────────────────────────────


async def test_pages_of_a_search_neither_repeat_nor_skip_while_cases_come_in(office: Office) -> None:
    await decide(office, *(a_case(n, "路灯") for n in range(6)))
    first, after = await page(office, query="路灯", limit=2)
    await decide(office, *(a_case(n, "路灯") for n in (7, 8)))
    rest = await listed(office, query="路灯", limit=2, after=after)
    assert [*first, *rest] == [number(n) for n in (5, 4, 3, 2, 1, 0)]


@pytest.mark.parametrize("who", [OPERATOR, LIGHTING])
@pytest.mark.parametrize("limit", [1, 2, 20])
async def test_a_search_that_is_cut_short_continues_after_empty_pages(
    office: Office, monkeypatch: pytest.MonkeyPatch, who: StaffUser, limit: int
) -> None:
    monkeypatch.setattr(case_search, "WINDOW", 2)
    monkeypatch.setattr(case_search, "ENTRIES_MAX", 3)
    monkeypatch.setattr(case_search, "FEW", 0)
    mine = {0, 1, 5, 11}
    stories = [a_case(n, "路灯不亮" if n in mine else "水管边上路灯" if n % 2 else "路灯，灯不亮") for n in range(12)]
    await decide(office, *stories)
    places, found, after = 0, [], None
    while places == 0 or after is not None:
        some, after = await page(office, who, query="路灯不", limit=limit, **({"after": after} if after else {}))
        found += some
        places += 1
        assert places < 30
    assert found == [number(n) for n in sorted(mine, reverse=True)]


@pytest.mark.parametrize("limit", [1, 20])
async def test_cases_of_all_times_are_found_over_gaps(office: Office, limit: int) -> None:
    days = (0, 1, 2, 9, 40, 41, 400, 401, 2_000)
    at = [MONDAY_NOON - timedelta(days=one) for one in days]
    stories = [
        told(received("路灯" if n % 2 else "水管", received_at=one), inquiry_id=number(n)) for n, one in enumerate(at)
    ]
    await decide(office, *stories)
    assert await listed(office, query="路灯", limit=limit) == [number(n) for n in (1, 3, 5, 7)]
    assert await listed(office, query="水管", limit=limit) == [number(n) for n in (0, 2, 4, 6, 8)]
    assert await page(office, query="没有的") == ([], None)


async def test_no_more_than_so_many_cases_are_compared_for_a_page(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_search, "EXAMINED_MAX", 3)
    await decide(office, *(a_case(n, "路灯，灯不亮") for n in range(7)))
    assert await page(office, query="路灯不") == ([], number(4))
    assert await page(office, query="路灯不", after=number(4)) == ([], number(1))
    assert await page(office, query="路灯不", after=number(1)) == ([], None)


async def test_next_is_always_a_case_of_the_clerks_department(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_search, "WINDOW", 1)
    monkeypatch.setattr(case_search, "ENTRIES_MAX", 1)
    await decide(
        office, a_case(1, "路灯和路面"), a_case(2, "路面路灯"), a_case(3, "路灯和路面"), a_case(4, "水管边路灯")
    )
    own, after, pages = {number(1), number(3)}, None, 0
    while pages == 0 or after is not None:
        seen, after = await page(office, ROADS, query="路灯", **({"after": after} if after else {}))
        assert {*seen} <= own
        assert after in {*own, None}
        pages += 1
        assert pages < 9


async def test_a_query_of_common_words_reads_a_bounded_number_of_entries(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    places = SearchIndex.places

    async def counted(self: SearchIndex, gram: int, before: str | None, floor: str, limit: int) -> list[str]:
        found = await places(self, gram, before, floor, limit)
        read.append(len(found))
        return found

    monkeypatch.setattr(SearchIndex, "places", counted)
    monkeypatch.setattr(case_search, "WINDOW", 3)
    monkeypatch.setattr(case_search, "ENTRIES_MAX", 10)
    monkeypatch.setattr(case_search, "FEW", 0)
    await decide(office, *(a_case(n, "路灯，灯不亮") for n in range(20)))
    found, after = await page(office, query="路灯不亮")
    assert (found, after is not None) == ([], True)
    assert 10 <= sum(read) <= 10 + 2 * 3 * 6
    assert await listed(office, query="路灯不亮") == []


async def test_a_query_of_one_character_is_refused_and_reads_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(SearchIndex, "places")
    for query in ("路", "的", "a", " ", "，", ""):
        [wrong] = problem(await ask(office, "/cases", query=query), 422)["errors"]
        assert (wrong["pointer"], "too short" in wrong["detail"]) == ("/query", True)


@pytest.mark.parametrize("query", ["路" * 101, "\0", "💡" * 30, " ".join(f"w{n}" for n in range(11))])
async def test_a_query_that_cannot_be_searched_is_422(office: Office, query: str) -> None:
    problem(await ask(office, "/cases", query=query), 422)


@pytest.mark.parametrize(
    "query", ["$where", '{"$gt": ""}', ".* .*ab", "路灯\u202e", "%25%25", "'; drop", "[[[ab", "路灯\\"]
)
async def test_a_hostile_query_is_only_text(office: Office, query: str) -> None:
    await decide(office, a_case(1, "路灯"))
    assert await listed(office, query=query) == ([number(1)] if "路灯" in query else [])


async def test_an_unknown_place_in_a_search_is_404(office: Office) -> None:
    await decide(office, a_case(1, "路灯"), a_case(2, "水管"))
    for after in ("x", number(9)):
        problem(await ask(office, "/cases", query="路灯", after=after), 404)
    problem(await ask(office, "/cases", LIGHTING, query="路灯", after=number(2)), 404)
