"""Every case of the poison corpus on every topic: it has the outcome in its file, and valid records around it are handled."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient

from shared.contracts.sources import SERVICES
from shared.kafka import topics
from tests.conftest import chorus_up
from tests.integration.corpus import Case, Sample, corpus, write
from tests.integration.outside import ReadRecord, Resident, read_all
from tests.integration.readers import INBOX, OUTBOX, READERS, Reader, Stored, good, offered, readers_of
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
ORIGIN = 5_000_000
"""The origin offsets of replayed records, beyond the end of the topic."""


@dataclass(frozen=True)
class Town:
    """A stack of its own, because the invalid records would disturb other tests."""

    kafka: str
    stored: Stored
    urls: dict[str, str]
    token: str
    part_id: str


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with chorus_up(tmp_path_factory.mktemp("poison"), {}) as stack:
        about = json.loads((stack.data / "stack.json").read_text())
        resident = Resident(about["urls"]["intake"])
        receipt = resident.write(
            {"subject": "工地夜间施工噪音扰民", "body": "工地每天夜间施工，噪音很大。", "language": "zh"}
        )
        resident.wait_for(receipt, "assigned")
        token = Path(about["operator_token_file"]).read_text().strip()
        stored: Stored
        with MongoClient(about["mongodb"]) as stored:
            yield Town(about["kafka"], stored, about["urls"], token, f"{receipt['inquiry_id']}-p1")


@dataclass(frozen=True)
class Written:
    """A written record; `case` is None for a valid one. `before` is the record written before it."""

    case: Case | None
    sample: Sample
    before: Sample
    place: tuple[str, int]

    @property
    def cause(self) -> str:
        """The id by which a refusal names the record."""
        id_ = self.sample.headers.get("ce_id")
        return id_.decode() if id_ else f"{self.place[0]}-0-{self.place[1]}"

    @property
    def name(self) -> str:
        return self.case.name if self.case else "good"


def rows(topic: str, part_id: str) -> list[tuple[Case | None, Sample, Sample]]:
    """All cases for a topic, each between valid records."""
    ends = {one.end for one in readers_of(topic)}
    first = good(topic, part_id)
    made: list[tuple[Case | None, Sample, Sample]] = [(None, first, first)]
    for case in corpus():
        if ends & set(case.ends):
            before = made[-1][1]
            made += [(case, case.spoilt(good(topic, part_id), before), before), (None, good(topic, part_id), before)]
    return made


async def written(town: Town, topic: str) -> list[Written]:
    """Write all of them to one partition of the topic."""
    made = rows(topic, town.part_id)
    offsets = await write(town.kafka, topic, [sample for _, sample, _ in made])
    return [Written(*one, (topic, offset)) for one, offset in zip(made, offsets, strict=True)]


async def replayed(town: Town, service: str, topic: str) -> list[Written]:
    """Write all of them to the replay topic of the service."""
    made = rows(topic, town.part_id)
    letters = [replace(one, headers={**one.headers, **origin(topic, ORIGIN + n)}) for n, (_, one, _) in enumerate(made)]
    offsets = await write(town.kafka, topics.replays(service), letters)
    places = [
        (topics.replays(service), offset) if one.raw_header_name else (topic, ORIGIN + n)
        for n, (offset, (_, one, _)) in enumerate(zip(offsets, made, strict=True))
    ]
    return [Written(*one, place) for one, place in zip(made, places, strict=True)]


def origin(topic: str, offset: int) -> dict[str, bytes | None]:
    where = {"dl_topic": topic, "dl_partition": "0", "dl_offset": str(offset), "dl_timestamp": "1773633600000"}
    return {name: text.encode() for name, text in where.items()}


# ── where it ends ────────────────────────────────────────────────────────────

End = tuple[int, list[str], int]
"""The number of effects, the kinds of dead letters, the number of refusals."""

ENDS: dict[str, End] = {
    "taken": (1, [], 0),
    "put aside": (0, ["permanent"], 0),
    "unreadable": (0, ["permanent"], 0),
    "skipped": (0, [], 0),
    "refused": (0, ["permanent"], 1),
    "told off": (1, [], 1),
    "once": (1, [], 0),
}
OF_THE_ONE_BEFORE = ("told off", "once")


def expected(one: Written, reader: Reader) -> str:
    """The outcome in the file for this reader; the desk's view has the scorer's outcome unless it has its own."""
    ends = {"cases": one.case.ends.get("events", ""), **one.case.ends} if one.case else {}
    return ends.get(reader.end, "") if one.case else "taken"


@dataclass(frozen=True)
class Seen:
    """Everything observable at one time."""

    letters: Sequence[ReadRecord]
    refusals: Sequence[str]
    refused: Sequence[str]
    effects: dict[Reader, dict[str, int]]

    def end(self, one: Written, reader: Reader) -> End:
        """The outcome of a record for a reader."""
        about = one.before.about if expected(one, reader) in OF_THE_ONE_BEFORE else one.sample.about
        where = (reader.service, *map(str, one.place))
        kinds = [
            letter.headers["dl_kind"]
            for letter in self.letters
            if (letter.headers["dl_service"], letter.headers["dl_topic"], letter.headers["dl_offset"]) == where
            and letter.headers["dl_reason"]
        ]
        refusals = {"gate": self.refusals.count(one.cause), "core": self.refused.count(about)}.get(reader.end, 0)
        # A refusal with the id of a valid record belongs to the case after it.
        return self.effects[reader].get(about, 0), sorted(set(kinds)), refusals if one.case else 0


def look(town: Town) -> Seen:
    """Read everything observable now."""
    letters = read_all(town.kafka, [topics.dead_letters(service) for service in SERVICES])
    inbox = [one for one in read_all(town.kafka, [INBOX]) if one.headers["ce_type"] == "chorus.message.refused"]
    refused = town.stored["chorus_router"]["decisions"].find({"refusal": {"$ne": None}})
    return Seen(
        letters,
        [one.data["cause"] for one in inbox if one.data["reason"] and one.data["remedy"]],
        [one["inquiry_id"] for one in refused],
        {one: dict(one.effects(town.stored)) for one in READERS},
    )


def await_ends(town: Town, all_: Sequence[Written], readers: Sequence[Reader]) -> None:
    """Wait until every record has its expected outcome with every reader."""
    until = time.monotonic() + PATIENCE_S
    while True:
        seen = look(town)
        wrong = {
            f"{one.name} with {reader.end} of {reader.service}": f"{seen.end(one, reader)} instead of {end}"
            for one in all_
            for reader in readers
            if (end := expected(one, reader)) and seen.end(one, reader) != ENDS[end]
        }
        if not wrong:
            return
        assert time.monotonic() < until, json.dumps(wrong, indent=1)
        time.sleep(1)


@pytest.mark.parametrize("topic", [OUTBOX, topics.INPUTS, topics.RESIDENTS, topics.EVENTS])
async def test_every_case_has_the_expected_outcome_on_every_topic(town: Town, topic: str) -> None:
    await_ends(town, await written(town, topic), readers_of(topic))


@pytest.mark.parametrize(
    ("service", "topic"),
    [
        ("router", OUTBOX),
        ("router", topics.EVENTS),
        ("intake", topics.RESIDENTS),
        ("notifier", topics.RESIDENTS),
        ("notifier", topics.EVENTS),
        ("scorer", topics.EVENTS),
    ],
)
async def test_replaying_an_invalid_record_has_the_same_outcome(town: Town, service: str, topic: str) -> None:
    await_ends(town, await replayed(town, service, topic), readers_of(topic, service))


def test_unknown_types_are_counted(town: Town) -> None:
    for service in SERVICES:
        counts = httpx.get(f"{town.urls[service]}/metrics", timeout=PATIENCE_S).text.splitlines()
        [line] = [one for one in counts if one.startswith(f'chorus_unknown_types_total{{service="{service}"}}')]
        assert float(line.split()[1]) >= 2, line


async def test_invalid_records_on_city_directory_do_not_block_the_next_revision(town: Town) -> None:
    [latest] = town.stored["chorus_router"]["revisions"].find().sort("_id", -1).limit(1)
    headers = {"ce_id": b"again", "ce_type": b"chorus.city.revised", "ce_source": b"chorus/router"}
    now = Sample("", b"city", latest["city"].encode(), headers, id_field="time_zone")
    spoilt = [case.spoilt(now, now) for case in corpus() if case.name not in ("nested", "oversize")]
    # A compacted topic rejects records without a key.
    await write(town.kafka, topics.CITY, [one for one in spoilt if one.key is not None or one.raw_header_name])
    add_harbour(town)
    until = time.monotonic() + PATIENCE_S
    about: list[str] = []
    missing = list(SERVICES)
    # An offer that arrives before the revision finds no address, so several are sent.
    while missing and time.monotonic() < until:
        event = good(topics.EVENTS)
        event = replace(event, value=json.dumps(offered(event.about, "harbour")).encode())
        await write(town.kafka, topics.EVENTS, [event])
        about.append(event.about)
        await asyncio.sleep(0.5)
        missing = unaware(town, about)
    assert missing == []
    letters = read_all(town.kafka, [topics.dead_letters(service) for service in SERVICES])
    assert [one.headers["dl_service"] for one in letters if one.headers["dl_topic"] == topics.CITY] == []


def add_harbour(town: Town) -> None:
    """Add a department at the desk."""
    harbour = {"code": "harbour", "name": {"zh": "港务局", "en": "Harbour"}, "email": "desk@harbour.example"}
    bearer = {"Authorization": f"Bearer {town.token}"}
    answer = httpx.put(f"{town.urls['router']}/departments/harbour", json=harbour, headers=bearer, timeout=PATIENCE_S)
    assert answer.status_code == 200, answer.text


def unaware(town: Town, offered_to_harbour: Sequence[str]) -> list[str]:
    """The services that do not know the new department yet."""
    known = town.stored["chorus_intake"]["directory"].find_one({"_id": "city"}) or {"city": ""}
    desk = httpx.get(
        f"{town.urls['router']}/departments", headers={"Authorization": f"Bearer {town.token}"}, timeout=PATIENCE_S
    )
    board = httpx.get(f"{town.urls['scorer']}/scoreboard?period=2026-03", timeout=PATIENCE_S)
    mails = town.stored["chorus_notifier"]["deliveries"].find_one({"inquiry_id": {"$in": offered_to_harbour}})
    aware = {
        "intake": "harbour" in known["city"],
        "router": "harbour" in desk.text,
        "scorer": "harbour" in board.text,
        "notifier": mails is not None,
    }
    return [service for service, knows in aware.items() if not knows]
