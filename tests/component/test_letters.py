"""The desk's dead-letters API on a real broker and store: lists, replays and discards."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.dead_letters import index as letters_module
from services.router.dead_letters.api import routes as dead_letter_routes
from services.router.dead_letters.index import DeadLetterIndex
from services.router.dead_letters.redaction import without_words
from services.router.dead_letters.replay import DeadLetterReplay
from services.router.desk.commands import Commands
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.staff import StaffUser
from services.router.stores.parked_inputs import Parked
from services.router.stores.store import RouterStore
from shared.contracts.envelope import Payload
from shared.http import problems
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.dead_letters import dead_letter, original
from shared.kafka.publisher import Publisher, RawRecord
from shared.kafka.records import Record
from shared.kafka.topic_admin import create_topics
from shared.kafka.topics import Topic
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, a_record, accepted, input_record, received, told
from tests.component.conftest import in_background
from tests.component.staff import TOKEN, guard
from tests.component.test_desk import problem
from tests.fakes import FakePublisher, header

OUTBOX = topics.outbox("lighting")
STORY = told(received("路灯"), accepted("lighting"))
NOTHING: dict[str, object] = {"letters": [], "next": None, "unread": 0, "open": 0}


class Bureau:
    """The desk with the dead letters of two services used by no other test."""

    def __init__(self, database: Database, publisher: FakePublisher, settings: Settings) -> None:
        self.one, self.two = (f"{name}{uuid4().hex[:8]}" for name in ("one", "two"))
        self.store, self.publisher, self.settings = RouterStore(database), publisher, settings
        self.kafka = Publisher(settings.kafka, "try")
        city: CityFeed[CityIndex] = CityFeed(city_index)
        city.use(CITY)
        self.commands = Ledger(database, "commands")
        self.letters = DeadLetterIndex(database, Connection.of(settings), (self.one, self.two))
        commands = Commands(self.store, self.commands)
        self.replaying = DeadLetterReplay(self.letters, self.store, publisher, commands)
        self.core = Core(self.store, city)
        app = FastAPI()
        problems.install(app)
        app.include_router(dead_letter_routes(self.replaying, guard()))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        bearer = {"Authorization": f"Bearer {TOKEN.decode()}"}
        self.http = httpx.AsyncClient(transport=transport, base_url="http://desk.example", headers=bearer)

    async def put_aside(
        self, record: Record, reason: str = "why", kind: str = "permanent", service: str | None = None
    ) -> None:
        service = service or self.one
        await self.write(dead_letter(service, record, kind, reason, 1), service)

    async def write(self, letter: RawRecord, service: str | None = None) -> None:
        await self.kafka.publish_raw({topics.dead_letters(service or self.one): [letter]})

    async def rows(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.http.get("/dead-letters", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["letters"]
        return found

    async def statuses(self) -> dict[str, str]:
        return {one["id"].removeprefix(self.one): one["status"] for one in await self.rows()}

    async def replay(self, *ids: str, **more: Any) -> list[dict[str, Any]]:
        answer = await self.http.post("/replays", json={"ids": ids} | more)
        assert answer.status_code == 202, answer.text
        outcomes: list[dict[str, Any]] = answer.json()["outcomes"]
        return outcomes

    async def discard(self, id_: str, why: str = "nothing in it", by: str = "li") -> httpx.Response:
        return await self.http.post(f"/dead-letters/{id_}/discard", json={"why": why, "by": by})


@pytest.fixture
async def bureau(database: Database, publisher: FakePublisher, settings: Settings) -> AsyncIterator[Bureau]:
    one = Bureau(database, publisher, settings)
    await create_topics(settings.kafka, [Topic(topics.dead_letters(name), 1, 1) for name in (one.one, one.two)], 1)
    for prepare in (one.store.prepare, one.commands.prepare, one.letters.prepare):
        await prepare()
    async with one.http, in_background(one.commands.write_groups, Relay(one.commands, publisher).publish_fresh):
        yield one
    await one.kafka.stop()


def sent(offset: int, value: bytes | None = b"{", headers: Sequence[tuple[str, bytes | None]] = ()) -> Record:
    return a_record(value, headers, topic=OUTBOX, offset=offset)


def of_the_log(number: int = 0) -> Record:
    given = input_record(STORY.inputs[number])
    return a_record(given.value, given.headers, key=given.key, offset=number)


# ── the list ─────────────────────────────────────────────────────────────────


async def test_the_list_has_all_services_oldest_first_in_pages(bureau: Bureau) -> None:
    for offset in range(3):
        for service in (bureau.one, bureau.two):
            await bureau.put_aside(sent(offset), service=service)
            # Records of two topics with the same millisecond have no defined order.
            await asyncio.sleep(0.01)
    ids = [one["id"] for one in await bureau.rows()]
    assert ids == [f"{name}-{n}" for n in range(3) for name in (bureau.one, bureau.two)]
    paged: list[str] = []
    after: str | None = None
    while True:
        query: dict[str, str | int] = {"limit": 4, **({"after": after} if after else {})}
        page = (await bureau.http.get("/dead-letters", params=query)).json()
        paged += [one["id"] for one in page["letters"]]
        if (after := page["next"]) is None:
            break
    assert (paged, len(page["letters"])) == (ids, 2)


async def test_an_unknown_place_or_field_of_the_list_is_refused(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0), service=bureau.one)
    [letter] = await bureau.rows()
    for after in ("nowhere", letter["id"]):
        assert (await bureau.http.get("/dead-letters", params={"after": after})).status_code == 404
    answer = await bureau.http.get("/dead-letters", params={"servce": bureau.one})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/servce")


async def test_the_list_is_empty_without_dead_letters(bureau: Bureau) -> None:
    assert (await bureau.http.get("/dead-letters")).json() == NOTHING


async def test_a_service_that_was_never_provisioned_has_no_letters(bureau: Bureau) -> None:
    bureau.letters.services = ("nobody",)
    assert (await bureau.http.get("/dead-letters")).json() == NOTHING


async def test_a_row_has_origin_and_content_type_of_the_record(bureau: Bureau) -> None:
    headers = [("ce_type", b"chorus.part.accepted"), ("ce_id", b"e-1"), ("dl_topic", b"a lie")]
    await bureau.put_aside(sent(7, f'{{"part_id": "{INQUIRY}-p1"}}'.encode(), headers), "It is late.", "exhausted")
    [row] = await bureau.rows()
    assert row.pop("at")
    assert row == {
        "id": f"{bureau.one}-0",
        "service": bureau.one,
        "topic": OUTBOX,
        "partition": 0,
        "offset": 7,
        "kind": "exhausted",
        "reason": "It is late.",
        "attempts": 1,
        "type": "chorus.part.accepted",
        "event_id": "e-1",
        "inquiry_id": INQUIRY,
        "copies": [],
        "status": "open",
    }


async def test_filters(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0), "It is not JSON.")
    await bureau.put_aside(sent(1), "RuntimeError()", "exhausted", bureau.two)
    both = await bureau.rows()
    assert [one["id"] for one in await bureau.rows(service=bureau.two)] == [f"{bureau.two}-0"]
    assert [one["id"] for one in await bureau.rows(reason="exhausted")] == [f"{bureau.two}-0"]
    assert [one["id"] for one in await bureau.rows(reason="not json.")] == [f"{bureau.one}-0"]
    assert await bureau.rows(reason="not.json") == []
    assert await bureau.rows(since=both[1]["at"]) == both[1:]
    assert await bureau.rows(since=both[0]["at"], status="open") == both
    assert await bureau.rows(status="discarded") == []


@pytest.mark.parametrize(
    "query",
    [
        {"service": "nobody"},
        {"reason": "\0"},
        {"since": "yesterday"},
        {"since": "2026-11-22T10:00:00"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"status": "lost"},
        {"limit": 0},
    ],
)
async def test_an_invalid_filter_is_422(bureau: Bureau, query: dict[str, Any]) -> None:
    problem(await bureau.http.get("/dead-letters", params=query), 422)


async def test_two_dead_letters_of_one_record_are_one_row(bureau: Bureau) -> None:
    await bureau.put_aside(sent(5))
    await bureau.put_aside(sent(5))
    [row] = await bureau.rows()
    assert (row["id"], row["copies"]) == (f"{bureau.one}-0", [f"{bureau.one}-1"])
    await bureau.put_aside(sent(5))
    [row] = await bureau.rows()
    assert row["copies"] == [f"{bureau.one}-1", f"{bureau.one}-2"]
    assert (await bureau.http.get(f"/dead-letters/{bureau.one}-2")).json()["id"] == f"{bureau.one}-0"


async def test_the_list_contains_no_texts(bureau: Bureau) -> None:
    words = "我的电话是 13812345678"
    value = f'{{"text": "{words}"}}'.encode()
    await bureau.put_aside(sent(0, value, [("ce_type", words.encode())]), f"body '{words}' 'quoted' is too short")
    page = (await bureau.http.get("/dead-letters")).text
    assert "电话" not in page
    assert "13812345678" not in page
    shown = (await bureau.http.get(f"/dead-letters/{bureau.one}-0")).json()
    assert words in shown["value"]["text"]


@pytest.mark.parametrize(
    ("reason", "rest"),
    [
        (
            "body '路灯' is too short; write at least 1 character(s)",
            "body '…' is too short; write at least 1 character(s)",
        ),
        ("x 'it's mine' is 'no' y", "x '…' y"),
        ("a number 13812345678 is too large", "a number … is too large"),
        (
            "1 validation error for X\nbody\n  Field required [type=missing, input_value={'a': 1}, input_type=dict]",
            "1 validation error for X body Field required [type=missing, input_value=…, input_type=dict]",
        ),
        ("two\nlines 'a\nb' end", "two lines '…' end"),
    ],
)
def test_quoted_values_are_removed_from_reasons(reason: str, rest: str) -> None:
    assert without_words(reason) == rest


async def test_unread_dead_letters_are_counted(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    await bureau.put_aside(sent(0))
    monkeypatch.setattr(letters_module, "READ_S", -1.0)
    assert (await bureau.http.get("/dead-letters")).json() == NOTHING | {"unread": 1}
    monkeypatch.undo()
    assert len(await bureau.rows()) == 1


async def test_a_recreated_topic_is_read_from_the_beginning(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.rows()
    await bureau.letters.read.update_one({"_id": bureau.one}, {"$set": {"next": 9}})
    await bureau.put_aside(sent(8))
    assert [one["offset"] for one in await bureau.rows()] == [0, 8]


async def test_the_same_offset_in_a_recreated_topic_is_another_dead_letter(bureau: Bureau) -> None:
    await bureau.put_aside(sent(5))
    await bureau.put_aside(sent(5)._replace(timestamp_ms=sent(5).timestamp_ms + 1))
    assert [(one["id"], one["copies"]) for one in await bureau.rows()] == [(f"{bureau.one}-{n}", []) for n in (0, 1)]


async def test_another_record_at_the_same_offset_is_not_shown_as_the_dead_letter(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.put_aside(sent(1))
    await bureau.rows()
    await bureau.letters.letters.update_one({"_id": f"{bureau.one}-0"}, {"$set": {"offset": 1}})
    assert not (await bureau.http.get(f"/dead-letters/{bureau.one}-0")).json()["found"]
    [outcome] = await bureau.replay(f"{bureau.one}-0")
    assert (outcome["outcome"], "expired" in outcome["how"]) == ("refused", True)
    assert bureau.publisher.records == []


async def test_replay_counts_written_by_the_sender_are_ignored(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0, headers=[("chorus-replay", b"999")]))
    await bureau.rows()
    await bureau.replay(f"{bureau.one}-0")
    assert await bureau.statuses() == {"-0": "replayed"}


async def test_without_kafka_the_list_is_503_with_retry_after(bureau: Bureau) -> None:
    bureau.letters.kafka = Connection("127.0.0.1:1")
    for answer in (await bureau.http.get("/dead-letters"), await bureau.http.get(f"/dead-letters/{bureau.one}-0")):
        assert problem(answer, 503)["detail"] == "Kafka is unavailable; try again in a moment."
        assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/dead-letters"),
        ("GET", "/dead-letters/x-1"),
        ("POST", "/dead-letters/x-1/replay"),
        ("POST", "/replays"),
        ("POST", "/dead-letters/x-1/discard"),
    ],
)
async def test_requests_without_the_token_are_rejected(bureau: Bureau, method: str, path: str) -> None:
    problem(await bureau.http.request(method, path, headers={"Authorization": "Bearer wrong"}), 401)


# ── one letter ───────────────────────────────────────────────────────────────


async def test_a_dead_letter_is_shown_with_all_bytes(bureau: Bureau) -> None:
    await bureau.put_aside(a_record(b"\xff\x00", [("a", b"\xfe"), ("b", None), ("c", "字".encode())], key=b"k"))
    shown = (await bureau.http.get(f"/dead-letters/{bureau.one}-0")).json()
    assert shown["key"] == {"text": "k", "base64": None}
    assert shown["value"] == {"text": None, "base64": "/wA="}
    assert shown["headers"][:3] == [
        {"name": "a", "text": None, "base64": "/g=="},
        {"name": "b", "text": None, "base64": None},
        {"name": "c", "text": "字", "base64": None},
    ]
    assert "dl_reason" in [one["name"] for one in shown["headers"]]


async def test_an_unknown_dead_letter_is_404(bureau: Bureau) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/replay", {}),
        ("POST", "/discard", {"why": "w", "by": "b"}),
    ):
        problem(await bureau.http.request(method, f"/dead-letters/{bureau.one}-9{path}", json=body), 404)


# ── replaying ────────────────────────────────────────────────────────────────


async def test_a_replay_has_the_record_and_its_origin(bureau: Bureau) -> None:
    record = sent(3, b"\xff", [("a", None), ("b", b"\xfe"), ("dl_kind", b"forged")])
    await bureau.put_aside(record)
    answer = await bureau.http.post(f"/dead-letters/{bureau.one}-0/replay", json={"by": "li"})
    assert (answer.status_code, answer.json()["outcome"]) == (202, "replayed")
    [(key, value, headers)] = bureau.publisher.on(topics.replays(bureau.one))
    again = original(Record(topics.replays(bureau.one), 0, 0, 0, key, value, headers))
    assert (again.topic, again.partition, again.offset, again.timestamp_ms) == (OUTBOX, 0, 3, record.timestamp_ms)
    assert (again.key, again.value) == (record.key, record.value)
    assert list(again.headers) == [("a", None), ("b", b"\xfe"), ("chorus-replay", b"1")]
    [row] = await bureau.rows()
    assert row["status"] == "replayed"


async def test_a_repeated_replay_is_published_once(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.rows()
    id_ = f"{bureau.one}-0"
    assert [one["outcome"] for one in await bureau.replay(id_)] == ["replayed"]
    assert [one["outcome"] for one in await bureau.replay(id_)] == ["already"]
    assert [one["outcome"] for one in await bureau.replay(id_, anyway=True)] == ["replayed"]
    assert len(bureau.publisher.on(topics.replays(bureau.one))) == 2


async def test_a_dry_run_publishes_nothing(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.put_aside(of_the_log())
    await bureau.rows()
    plain, log = await bureau.replay(f"{bureau.one}-0", f"{bureau.one}-1", dry_run=True)
    assert (plain["outcome"], topics.replays(bureau.one) in plain["how"]) == ("would-replay", True)
    assert (log["outcome"], INQUIRY in log["how"]) == ("would-replay", True)
    assert bureau.publisher.records == []
    assert set((await bureau.statuses()).values()) == {"open"}
    assert await bureau.commands.entries.count_documents({}) == 0


async def test_a_failed_replay_reopens_the_dead_letter(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.rows()
    await bureau.replay(f"{bureau.one}-0")
    [(key, value, headers)] = bureau.publisher.on(topics.replays(bureau.one))
    failed = original(Record(topics.replays(bureau.one), 0, 0, 0, key, value, headers))
    await bureau.put_aside(failed, "still wrong")
    [row] = await bureau.rows()
    assert (row["id"], row["status"], row["reason"]) == (f"{bureau.one}-0", "open", "still wrong")
    await bureau.replay(f"{bureau.one}-0")
    await bureau.put_aside(failed, "a copy of the first failure, around a crash")
    [row] = await bureau.rows()
    assert row["status"] == "replayed"


async def test_a_failure_read_before_the_replay_is_recorded_keeps_the_dead_letter_open(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.rows()
    letter = await bureau.letters.letter(f"{bureau.one}-0")
    await bureau.put_aside(sent(0, headers=[("chorus-replay", b"1")]), "still wrong")
    await bureau.rows()
    await bureau.letters.mark_replayed(letter, "li")
    [row] = await bureau.rows()
    assert row["status"] == "open"


async def test_a_failed_publish_leaves_the_dead_letter_open(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.rows()
    bureau.publisher.away = True
    problem(await bureau.http.post(f"/dead-letters/{bureau.one}-0/replay"), 503)
    assert await bureau.statuses() == {"-0": "open"}


async def test_a_refused_replay_has_a_reason(bureau: Bureau) -> None:
    big = dead_letter(bureau.one, sent(0, b"x" * 9_000_000), "permanent", "too large", 1)
    assert big[1] is None
    await bureau.write(big)
    await bureau.write(dead_letter(bureau.one, sent(1, None), "permanent", "It could not be unpacked", 1))
    await bureau.put_aside(a_record(b"{", topic=topics.CITY, offset=4))
    await bureau.write((None, b"a stranger's", []))
    await bureau.put_aside(a_record(b"{", key=b"nobody", offset=9))
    await bureau.rows()
    ids = [*(f"{bureau.one}-{n}" for n in range(5)), f"{bureau.one}-77"]
    outcomes = await bureau.replay(*ids)
    assert await bureau.replay(*ids, dry_run=True) == outcomes
    said = {one["id"].rpartition("-")[2]: (one["outcome"], one["how"]) for one in outcomes}
    assert {outcome for id_, (outcome, _) in said.items() if id_ != "77"} == {"refused"}
    assert f"its record is at {OUTBOX}-0-0" in said["0"][1]
    assert "could not be unpacked" in said["1"][1]
    assert "apply the city again" in said["2"][1]
    assert "name its topic, partition and offset" in said["3"][1]
    assert "not an inquiry id" in said["4"][1]
    assert said["77"][0] == "unknown"
    assert bureau.publisher.records == []
    answer = await bureau.http.post(f"/dead-letters/{bureau.one}-0/replay")
    assert "too large to be kept" in problem(answer, 409)["detail"]


# ── replaying onto the log ───────────────────────────────────────────────────


async def commands(bureau: Bureau, count: int) -> list[Any]:
    """The replay commands on the log, decided by the core."""
    rows = await bureau.publisher.until(count, topics.INPUTS)
    given = [read_input(a_record(value, headers, key=key)) for key, value, headers in rows]
    for one in given:
        await bureau.publisher.publish(await bureau.core.decide_inputs([one]))
        await bureau.core.unpark_replayed([one])
    return given


async def test_replaying_an_unreadable_input_sends_a_command_for_its_case(bureau: Bureau) -> None:
    await bureau.put_aside(of_the_log(0), "the version before could not read it")
    await bureau.rows()
    [outcome] = await bureau.replay(f"{bureau.one}-0", by="li")
    assert outcome["outcome"] == "replayed"
    assert not bureau.publisher.on(topics.replays(bureau.one))
    [command] = await commands(bureau, 1)
    assert (command.id, command.payload.by) == (outcome["event_id"], "li")
    assert [one.cause for one in await bureau.store.decisions.of(INQUIRY)] == [STORY.inputs[0].id, command.id]
    assert await bureau.statuses() == {"-0": "replayed"}
    [again] = await bureau.replay(f"{bureau.one}-0", anyway=True)
    assert (again["outcome"], again["how"]) == ("already", "The core has decided it in the meantime.")


async def test_one_command_releases_all_parked_inputs_of_an_inquiry(bureau: Bureau) -> None:
    for number, kind in ((0, "exhausted"), (1, "parked")):
        await bureau.store.parked.add(Parked(of_the_log(number), INQUIRY, kind, "why"))
        await bureau.put_aside(of_the_log(number), kind=kind)
    await bureau.rows()
    [outcome] = await bureau.replay(f"{bureau.one}-1")
    assert await bureau.statuses() == {"-0": "replayed", "-1": "replayed"}
    [command] = await commands(bureau, 1)
    assert [one.cause for one in await bureau.store.decisions.of(INQUIRY)] == [
        *(one.id for one in STORY.inputs),
        outcome["event_id"],
    ]
    assert await bureau.statuses() == {"-0": "replayed", "-1": "replayed"}
    assert not await bureau.letters.letters.count_documents({"pending": {"$exists": True}})
    assert command.id == outcome["event_id"]


async def test_an_input_parked_after_a_command_gets_its_own_command(bureau: Bureau) -> None:
    for number in (0, 1):
        await bureau.put_aside(of_the_log(number), "the version before could not read it")
    await bureau.rows()
    enter = bureau.replaying.commands.enter

    async def carried_out_at_once(inquiry_id: str, given: Payload, id_: str, who: StaffUser | None = None) -> str:
        before = len(bureau.publisher.on(topics.INPUTS))
        await enter(inquiry_id, given, id_, who)
        await commands(bureau, before + 1)
        return id_

    bureau.replaying.commands.enter = carried_out_at_once  # type: ignore[method-assign]
    await bureau.replay(f"{bureau.one}-0", f"{bureau.one}-1")
    assert await bureau.store.parked.of([INQUIRY]) == []
    causes = [one.cause for one in await bureau.store.decisions.of(INQUIRY)]
    assert [one.id for one in STORY.inputs] == [one for one in causes if one in {given.id for given in STORY.inputs}]


async def test_a_failed_command_reopens_the_dead_letters(bureau: Bureau) -> None:
    await bureau.store.parked.add(Parked(of_the_log(0), INQUIRY, "exhausted", "why"))
    await bureau.put_aside(of_the_log(0), kind="exhausted")
    await bureau.rows()
    [outcome] = await bureau.replay(f"{bureau.one}-0")
    assert await bureau.statuses() == {"-0": "replayed"}
    [(key, value, headers)] = await bureau.publisher.until(1, topics.INPUTS)
    await bureau.put_aside(a_record(value, headers, key=key, offset=50), "RuntimeError()", "exhausted")
    assert await bureau.statuses() == {"-0": "open", "-1": "open"}
    first, second = await bureau.replay(f"{bureau.one}-0", f"{bureau.one}-1")
    assert first["event_id"] == second["event_id"] != outcome["event_id"]
    await commands(bureau, 2)
    assert await bureau.statuses() == {"-0": "replayed", "-1": "replayed"}
    oldest, *_ = await bureau.store.decisions.of(INQUIRY)
    assert oldest.cause == STORY.inputs[0].id


async def test_replaying_a_still_unreadable_input_reopens_its_dead_letter(bureau: Bureau) -> None:
    await bureau.put_aside(a_record(b"{", key=INQUIRY.encode(), offset=3))
    await bureau.rows()
    await bureau.replay(f"{bureau.one}-0")
    [parked] = await bureau.store.parked.of([INQUIRY])
    assert header((None, None, parked.record.headers), "chorus-replay") == "1"
    await bureau.put_aside(parked.record, "still unreadable")
    [row] = await bureau.rows()
    assert (row["status"], row["reason"]) == ("open", "still unreadable")


# ── discarding ───────────────────────────────────────────────────────────────


async def test_a_discard_is_recorded_once_with_name_and_reason(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.rows()
    for _ in range(2):
        answer = await bureau.discard(f"{bureau.one}-0")
        assert (answer.status_code, answer.json()["status"], answer.json()["holds"]) == (200, "discarded", None)
    [said] = (await bureau.http.get(f"/dead-letters/{bureau.one}-0")).json()["history"]
    assert said.pop("at")
    assert said == {"what": "discarded", "by": "li", "user": 1, "why": "nothing in it", "event_id": None}


async def test_a_discarded_dead_letter_is_replayed_only_with_anyway(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.rows()
    await bureau.discard(f"{bureau.one}-0")
    detail = problem(await bureau.http.post(f"/dead-letters/{bureau.one}-0/replay"), 409)["detail"]
    assert "'li'" in detail
    assert "nothing in it" in detail
    assert "--anyway" in detail
    answer = await bureau.http.post(f"/dead-letters/{bureau.one}-0/replay", json={"anyway": True})
    assert answer.status_code == 202
    assert await bureau.statuses() == {"-0": "replayed"}
    detail = problem(await bureau.discard(f"{bureau.one}-0"), 409)["detail"]
    assert "was replayed" in detail


async def test_a_copy_of_a_discarded_dead_letter_is_discarded(bureau: Bureau) -> None:
    await bureau.put_aside(sent(0))
    await bureau.rows()
    await bureau.discard(f"{bureau.one}-0")
    await bureau.put_aside(sent(0))
    assert await bureau.statuses() == {"-0": "discarded"}


async def test_a_discarded_parked_input_is_skipped_and_its_inquiry_stays_parked(bureau: Bureau) -> None:
    for number, kind in ((0, "parked"), (1, "exhausted")):
        await bureau.store.parked.add(Parked(of_the_log(number), INQUIRY, kind, "why"))
        await bureau.put_aside(of_the_log(number), kind=kind)
    await bureau.rows()
    assert (await bureau.discard(f"{bureau.one}-1")).json()["holds"] == INQUIRY
    assert await bureau.store.parked.inquiries() == {INQUIRY}
    await bureau.replay(f"{bureau.one}-0")
    assert await bureau.statuses() == {"-0": "replayed", "-1": "discarded"}
    [command] = await commands(bureau, 1)
    causes = [one.cause for one in await bureau.store.decisions.of(INQUIRY)]
    assert causes == [STORY.inputs[0].id, command.id]


async def test_replaying_a_decided_input_publishes_its_messages(bureau: Bureau) -> None:
    await bureau.publisher.publish(await bureau.core.decide_inputs([STORY.inputs[0]]))
    await bureau.store.parked.add(Parked(of_the_log(0), INQUIRY, "exhausted", "its messages were refused"))
    await bureau.put_aside(of_the_log(0), kind="exhausted")
    await bureau.rows()
    bureau.publisher.records.clear()
    [outcome] = await bureau.replay(f"{bureau.one}-0")
    assert outcome["outcome"] == "replayed"
    await commands(bureau, 1)
    assert set(bureau.publisher.ids()) >= {one.id for one in STORY.decisions[0].messages}
    assert await bureau.store.parked.of([INQUIRY]) == []


async def test_discarding_the_only_parked_input_releases_the_inquiry(bureau: Bureau) -> None:
    await bureau.store.parked.add(Parked(of_the_log(0), INQUIRY, "exhausted", "why"))
    await bureau.put_aside(of_the_log(0), kind="exhausted")
    await bureau.rows()
    for by in ("li", "another who asks again"):
        assert (await bureau.discard(f"{bureau.one}-0", by=by)).json()["holds"] is None
    [command] = await commands(bureau, 1)
    assert (command.type, command.payload.by) == ("chorus.case.replay", "li")
    assert await bureau.store.parked.of([INQUIRY]) == []
    assert await bureau.statuses() == {"-0": "discarded"}
    assert len(bureau.publisher.on(topics.INPUTS)) == 1


async def test_a_parked_input_is_replayed_after_its_dead_letter_has_expired(bureau: Bureau) -> None:
    await bureau.store.parked.add(Parked(of_the_log(0), INQUIRY, "exhausted", "why"))
    await bureau.put_aside(of_the_log(0), kind="exhausted")
    await bureau.rows()
    await bureau.letters.letters.update_one({}, {"$set": {"status": "expired", "offset": 77}})
    [outcome] = await bureau.replay(f"{bureau.one}-0")
    assert outcome["outcome"] == "replayed"
    await commands(bureau, 1)
    assert (await bureau.store.decisions.of(INQUIRY))[0].cause == STORY.inputs[0].id


async def test_a_discarded_input_replayed_with_anyway_is_not_skipped(bureau: Bureau) -> None:
    await bureau.store.parked.add(Parked(of_the_log(0), INQUIRY, "exhausted", "why"))
    await bureau.put_aside(of_the_log(0), kind="exhausted")
    await bureau.rows()
    await bureau.discard(f"{bureau.one}-0")
    await bureau.replay(f"{bureau.one}-0", anyway=True)
    released, replayed = await commands(bureau, 2)
    causes = [one.cause for one in await bureau.store.decisions.of(INQUIRY)]
    assert causes == [STORY.inputs[0].id, released.id, replayed.id]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("discard", {}),
        ("discard", {"why": "", "by": "li"}),
        ("discard", {"why": "x"}),
        ("discard", {"why": "x", "by": "li", "more": 1}),
        ("replay", {"by": ""}),
        ("replay", {"anyway": 7}),
    ],
)
async def test_an_invalid_request_is_422(bureau: Bureau, path: str, body: dict[str, Any]) -> None:
    problem(await bureau.http.post(f"/dead-letters/{bureau.one}-0/{path}", json=body), 422)
