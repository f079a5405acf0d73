"""`chorus demo --full`: its steps, its report and exit codes, and the city that it leaves as it was."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError

from deploy.cli.console import options
from deploy.cli.demo import full, full_report, terms
from deploy.cli.demo.expectations import expect, expect_same, soon
from deploy.cli.demo.eyes import Eyes, MailFolder, PlayedCase
from deploy.cli.demo.hands import Hands, Staff
from deploy.cli.demo.stage import FullStory, PlayedStep, Stage
from deploy.cli.demo.stories import FULL_STORIES
from deploy.cli.demo.terms import RunTerms, began_at, channel, in_force, run_name
from deploy.cli.demo.topic_watch import TopicWatch, WatchedRecord, problems_of_chain
from deploy.cli.demo.town import Town
from deploy.failure import Failure
from deploy.local.stack_file import Urls
from services.router.desk.city_requests import city_sent
from shared.city import City, load_city
from shared.city.policies import PartCircumstances, policy_for
from shared.kafka.connection import Connection
from shared.kafka.topics import EVENTS
from tests.component.town import Chorus
from tests.component.town import Town as FakeTown
from tests.conftest import REPOSITORY

CITY = load_city(REPOSITORY / "deploy" / "city")
DEPARTMENTS = json.loads(CITY.model_dump_json())["departments"]
TODAY = date(2026, 11, 28)
RUN = run_name()
POLICIES = {name: policy for story in FULL_STORIES for name, policy in story.policies.items()}
TOWN = Town.of(DEPARTMENTS)
TERMS = RunTerms(RUN, POLICIES, TOWN.bureau, TOWN.offices)
TICKET = "20261122-7F3KQ2MX"
URLS = Urls(intake="http://intake", router="http://router", notifier="http://notifier", scorer="http://scorer")
Playing = Callable[[Stage], Coroutine[Any, Any, None]]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else applies cities here, except where a test does. A command of another test may have asked for JSON."""
    monkeypatch.setattr(terms, "SETTLED_S", 0.0)
    monkeypatch.setattr(options, "as_json", False)


# ── the city ─────────────────────────────────────────────────────────────────


class Desk:
    """The desk's routes for the city, with its own checks. `revisions` are the cities that it has accepted."""

    def __init__(self, city: City = CITY) -> None:
        self.revisions = [city]

    def answer(self, request: httpx.Request) -> httpx.Response:
        if (request.method, request.url.path) == ("POST", "/city"):
            self.revisions.append(city_sent(request.content))
        return httpx.Response(200, json=json.loads(self.revisions[-1].model_dump_json()))

    def play(self, story: Callable[[], Awaitable[None]], added: RunTerms = TERMS) -> None:
        async def played() -> None:
            transport = httpx.MockTransport(self.answer)
            async with (
                httpx.AsyncClient(base_url="http://desk.test", transport=transport) as client,
                in_force(client, added),
            ):
                await story()

        asyncio.run(played())


def test_the_policies_of_a_run_meet_the_messages_of_its_channels_only() -> None:
    desk, seen = Desk(), list[City]()

    async def story() -> None:
        seen.append(desk.revisions[-1])

    desk.play(story)
    [city] = seen
    for name in POLICIES:
        own = PartCircumstances(TODAY, channel(RUN, name), "market")
        assert policy_for(city.policies, own).id == channel(RUN, name)
    for usual in ("web", "hotline", channel(run_name(0), "release")):
        assert policy_for(city.policies, PartCircumstances(TODAY, usual, "market")).id == "standard"
    assert {one.code for one in city.departments if one.parent == "market"} == {*TOWN.offices}
    assert len(TOWN.offices) == 3
    assert desk.revisions[-1] == CITY


async def _ends() -> None:
    return None


async def _fails() -> None:
    raise RuntimeError("a fault of the demo")


async def _interrupted() -> None:
    current = asyncio.current_task()
    assert current is not None
    current.cancel()
    await asyncio.sleep(5)


@pytest.mark.parametrize("ending", [_ends, _fails, _interrupted])
def test_the_city_is_as_before_however_the_run_ends(ending: Callable[[], Awaitable[None]]) -> None:
    desk = Desk()
    with contextlib.suppress(RuntimeError, asyncio.CancelledError):
        desk.play(ending)
    assert len(desk.revisions) == 3
    assert desk.revisions[-1] == CITY


def test_what_others_apply_meanwhile_stays() -> None:
    desk = Desk()

    async def story() -> None:
        now = desk.revisions[-1]
        desk.revisions.append(now.model_copy(update={"telephone": "12333"}))

    desk.play(story)
    assert desk.revisions[-1] == CITY.model_copy(update={"telephone": "12333"})


def test_policies_that_somebody_overwrites_at_the_start_are_applied_again() -> None:
    desk, seen = Desk(), list[City]()
    usual = desk.answer

    def answer(request: httpx.Request) -> httpx.Response:
        given = usual(request)
        if len(desk.revisions) == 2:
            desk.revisions.append(CITY)
        return given

    desk.answer = answer  # type: ignore[method-assign]

    async def story() -> None:
        seen.append(desk.revisions[-1])

    desk.play(story)
    assert [one.id for one in seen[0].policies if one.id == channel(RUN, "release")] == [channel(RUN, "release")]
    assert desk.revisions[-1] == CITY


def test_the_next_run_removes_what_a_killed_one_has_left_and_nothing_of_one_that_goes_on() -> None:
    now = time.time()
    killed, going_on = run_name(now - 3600), run_name(now - 20)
    left = City.model_validate(RunTerms(killed, POLICIES, "market", TOWN.offices).added_to(fields(CITY), now - 3600))
    both = City.model_validate(RunTerms(going_on, POLICIES).added_to(fields(left), now - 3600))
    desk = Desk(both)
    desk.play(_ends)
    ids = {one.id for one in desk.revisions[-1].policies}
    assert ids == {one.id for one in CITY.policies} | {channel(going_on, name) for name in POLICIES}
    assert desk.revisions[-1].departments == CITY.departments


def test_a_city_that_cannot_be_put_back_is_said() -> None:
    desk = Desk()

    async def story() -> None:
        def away(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused")

        desk.answer = away  # type: ignore[method-assign]

    async def played() -> None:
        transport = httpx.MockTransport(lambda request: desk.answer(request))
        async with (
            httpx.AsyncClient(base_url="http://desk.test", transport=transport) as client,
            in_force(client, TERMS),
        ):
            await story()

    with pytest.raises(Failure, match="may still be in force"):
        asyncio.run(played())


def fields(city: City) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(city.model_dump_json())
    return found


def test_the_name_of_a_run_says_when_it_began_and_fits_into_a_channel() -> None:
    assert began_at(run_name(1_800_000_000)) == 1_800_000_000
    assert len({run_name(1_800_000_000) for _ in range(50)}) > 25
    assert all(len(channel(RUN, name)) <= 31 for name in POLICIES)
    assert len(POLICIES) == sum(len(story.policies) for story in FULL_STORIES)


def test_a_bureau_with_offices_of_its_own_needs_none_lent() -> None:
    below = [one | ({"parent": "housing"} if one["code"] in ("dongyu", "linxi") else {}) for one in DEPARTMENTS]
    town = Town.of(below)
    assert (town.bureau, town.lends) == ("housing", False)
    assert {*town.offices} >= {"dongyu", "linxi"}
    assert Town.of(below, lent={"dongyu", "linxi"}).bureau == "market"


def test_too_small_a_city_is_said_before_anything_is_sent() -> None:
    with pytest.raises(Failure, match="needs 10 departments"):
        Town.of(DEPARTMENTS[:4])


# ── steps and report ─────────────────────────────────────────────────────────


def record(type_: str, sequence: int, before: bytes | None, **more: Any) -> WatchedRecord:
    prev = None if before is None else hashlib.sha256(before).hexdigest()
    data = {"type": type_, "sequence": sequence, "state": "answered", "departments": ["market"], **more, "prev": prev}
    return WatchedRecord(EVENTS, f"{type_}-{sequence}", type_, TICKET, "", data, json.dumps(data).encode())


def answered() -> list[WatchedRecord]:
    first = record("inquiry.registered", 1, None)
    return [first, record("inquiry.answered", 2, first.value, round=1, parts=["p1", "p2"])]


def stage_of(play: Playing, folder: Path, records: list[WatchedRecord], number: int = 1) -> Stage:
    """A stage on which nothing answers; `records` are the events that it sees."""

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    http = httpx.AsyncClient(transport=httpx.MockTransport(away))
    watch = TopicWatch({})
    for one in records:
        watch._keep(one)
    hands = Hands(URLS, http, Staff(http, {}, RUN), lambda _: Connection("127.0.0.1:1"))
    story = FullStory(number, "A story", play, {})
    stage = Stage(story, RUN, TOWN, hands, Eyes(URLS, http, {}, watch, MailFolder(folder)), full.show, {})
    stage.cases.append(PlayedCase(number, "路灯不亮", TICKET, "ABCDEFGHJKMN", None, "zh"))
    return stage


def played(*stages: Stage) -> tuple[dict[str, Any], Failure | None]:
    """The document of the run, and its failure."""
    asyncio.run(full.play_all(stages, TopicWatch({})))
    about = {"seed": 1, "run": RUN, "seconds": 0.1}
    try:
        full_report.finish(URLS, stages, about)
    except Failure as failure:
        return full_report.report(URLS, stages, about), failure
    return full_report.report(URLS, stages, about), None


async def well(stage: Stage) -> None:
    async with stage.step("The lamp is lit"):
        expect(True, "it is dark")


async def badly(stage: Stage) -> None:
    async with stage.step("The lamp is lit"):
        expect_same("dark", "lit", "the lamp")
    async with stage.step("This is not played"):
        raise AssertionError


def test_a_failing_step_ends_its_story_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, failure = played(stage_of(badly, tmp_path, answered(), 1), stage_of(well, tmp_path, answered(), 2))
    assert failure is not None
    assert failure.code == 1
    assert "story 1, The lamp is lit: the lamp: 'dark' instead of 'lit'" in failure.sentence
    assert [(one["number"], one["passed"]) for one in document["stories"]] == [(1, False), (2, True)]
    assert document["stories"][0]["steps"] == [
        {"what": "The lamp is lit", "passed": False, "why": "the lamp: 'dark' instead of 'lit'"}
    ]
    shown = capsys.readouterr().out
    assert " 1  ✗ FAILED  The lamp is lit: the lamp: 'dark' instead of 'lit'" in shown
    assert " 2  ✓ passed  The lamp is lit" in shown
    assert f"chorus timeline {TICKET}   http://intake/status?ticket={TICKET}&code=ABCDEFGHJKMN&lang=zh" in shown
    assert "1 of 2 stories passed" in shown


def test_the_document_has_the_fields_of_the_demo_and_the_stories(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "as_json", True)
    document, failure = played(stage_of(well, tmp_path, answered()))
    assert failure is None
    figures = {name: document[name] for name in ("sent", "answered", "joint", "rated", "lost", "double")}
    assert figures == {"sent": 1, "answered": 1, "joint": 1, "rated": 0, "lost": 0, "double": 0}
    assert document["stories"] == [
        {
            "number": 1,
            "title": "A story",
            "passed": True,
            "steps": [{"what": "The lamp is lit", "passed": True}],
            "cases": [TICKET],
        }
    ]
    assert [one["inquiry_id"] for one in document["cases"]] == [TICKET]
    written = capsys.readouterr()
    assert json.loads(written.out) == document
    assert "✓ passed  The lamp is lit" in written.err


async def asks(stage: Stage) -> None:
    async with stage.step("The ticket answers"):
        await stage.eyes.ticket(stage.cases[0])


async def writes(stage: Stage) -> None:
    async with stage.step("Kafka answers"):
        raise KafkaConnectionError


@pytest.mark.parametrize("play", [asks, writes])
def test_exit_code_3_when_something_is_away(tmp_path: Path, play: Playing) -> None:
    _, failure = played(stage_of(play, tmp_path, answered()), stage_of(badly, tmp_path, answered()))
    assert failure is not None
    assert (failure.code, "no answer" in failure.sentence) == (3, True)


async def misread(stage: Stage) -> None:
    async with stage.step("The answer has a state"):
        answer: dict[str, Any] = {}
        expect(answer["state"], "no state")


def test_an_answer_of_another_form_fails_the_step(tmp_path: Path) -> None:
    document, failure = played(stage_of(misread, tmp_path, answered()))
    assert failure is not None
    assert failure.code == 1
    assert "another form than documented (KeyError: 'state')" in document["stories"][0]["steps"][0]["why"]


def test_a_story_without_an_end_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleeps(stage: Stage) -> None:
        await well(stage)
        await asyncio.sleep(5)

    monkeypatch.setattr(full, "STORY_S", 0.05)
    document, failure = played(stage_of(sleeps, tmp_path, answered()))
    assert failure is not None
    assert [step["passed"] for step in document["stories"][0]["steps"]] == [True, False]


def test_an_unexpected_error_ends_its_own_story_only(tmp_path: Path) -> None:
    async def breaks(stage: Stage) -> None:
        await well(stage)
        raise RuntimeError("out of order")

    document, failure = played(stage_of(breaks, tmp_path, answered()), stage_of(well, tmp_path, answered(), 2))
    assert failure is not None
    assert "RuntimeError: out of order (test_full_demo.py:" in failure.sentence
    assert [one["passed"] for one in document["stories"]] == [False, True]


def test_a_story_without_a_step_has_not_passed(tmp_path: Path) -> None:
    async def nothing(stage: Stage) -> None: ...

    assert played(stage_of(nothing, tmp_path, answered()))[1] is not None


@pytest.mark.parametrize(
    ("records", "lost", "double", "said"),
    [
        ([], 1, 0, "it is not registered"),
        (answered()[:1], 1, 0, "it has no answer"),
        (
            [*answered(), record("inquiry.answered", 3, answered()[1].value, round=1)],
            0,
            1,
            "inquiry.answered of 1 2 times",
        ),
        ([answered()[0], record("inquiry.answered", 3, answered()[0].value, round=1)], 0, 1, "has the sequence 3"),
        ([answered()[0], record("inquiry.answered", 2, b"another", round=1)], 0, 1, "is not the SHA-256 of the event"),
    ],
)
def test_what_is_lost_or_double_fails_the_run(
    tmp_path: Path, records: list[WatchedRecord], lost: int, double: int, said: str
) -> None:
    document, failure = played(stage_of(well, tmp_path, records))
    assert failure is not None
    assert (failure.code, document["lost"], document["double"]) == (1, lost, double)
    assert said in failure.sentence


def test_an_id_that_comes_again_with_other_bytes_is_named(tmp_path: Path) -> None:
    first, second = answered()
    changed = WatchedRecord(EVENTS, first.id, first.type, TICKET, "", first.data, b"other bytes")
    document, failure = played(stage_of(well, tmp_path, [first, second, changed, second]))
    assert failure is not None
    assert document["cases"][0]["problems"] == [f"{EVENTS} has two messages of {TICKET} with the id {first.id}"]


def test_the_chain_verifies_with_sha_256_alone() -> None:
    assert problems_of_chain(answered()) == []
    assert problems_of_chain(answered()[1:]) != []


def test_waiting_ends_with_what_was_not_seen() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(Exception, match="the lamp is dark, after 0 s"):
        asyncio.run(soon(never, "the lamp is dark", 0.05))


def test_without_a_folder_of_mails_the_full_demo_says_so(chorus: Chorus, town: FakeTown) -> None:
    ended = chorus("demo", "--full")
    assert (ended.code, "reads the mails in the folder of a local stack" in ended.err) == (2, True)


def test_a_service_that_is_not_ready_ends_the_full_demo_before_it_begins(chorus: Chorus, town: FakeTown) -> None:
    town.says = lambda _: (503, {"ready": False, "reasons": ["waits for kafka"]}, {})
    ended = chorus("demo", "--full")
    assert (ended.code, "waits for kafka" in ended.err) == (3, True)
    assert town.posts("/city") == []


def test_steps_are_shown_in_words_too(capsys: pytest.CaptureFixture[str]) -> None:
    story = FullStory(7, "Release", well, {})
    full.show(story, PlayedStep("It waits", passed=True))
    full.show(story, PlayedStep("It is released", passed=False, why="it waits"))
    assert capsys.readouterr().out.splitlines() == [" 7  ✓ passed  It waits", " 7  ✗ FAILED  It is released: it waits"]


def test_the_stories_have_numbers_titles_and_policies_of_their_own() -> None:
    numbers = [story.number for story in FULL_STORIES]
    assert numbers == list(range(1, 13))
    names: list[Mapping[str, Any]] = [story.policies for story in FULL_STORIES]
    assert all(names)
