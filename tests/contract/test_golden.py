"""Golden files: every version of each decision and message ever written stays readable.

`python -m tests.contract.test_golden` adds missing files and never changes existing ones. When the code must write
something else, the old file stays and the next version is added.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.router.core.input_decoder import read_input
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decide import decide, with_distinct_id
from services.router.domain.decision import Decision, after, case_of, from_document
from services.router.domain.facts import TYPES
from shared.contracts.department_inbox import INBOX
from shared.contracts.envelope import Message
from shared.contracts.facts import EVENT_TYPES
from shared.contracts.fields import Contact
from shared.contracts.inputs import INPUTS
from shared.kafka import topics
from shared.kafka.records import Record
from shared.runtime import timestamps
from shared.service.event_decoders import read_event, read_told
from tests.asking import (
    ASKING,
    added,
    asked,
    asked_for_case,
    extended,
    extension_asked,
    extension_refused,
    rang_at,
)
from tests.builders import (
    DIRECTORY,
    MONDAY_NOON,
    Story,
    a_record,
    accepted,
    assigned,
    at_the_desk,
    contributed,
    drafted,
    input_record,
    link_requested,
    rang,
    rated,
    recalled,
    received,
    record_of,
    replayed,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.calendars import WORKING_TIME
from tests.closing import closed, rating_reminder
from tests.delegating import BUREAUS, LIFTS, delegated
from tests.endings import erased, inquiry_withdrawn, linked, refused
from tests.joining import APPROVED_FIRST, GOING_AHEAD, late, went_ahead
from tests.publishing import AUTOMATIC, H2, corrected, hidden, published, redacted, reported, retracted
from tests.releasing import ONE, TWO, approved, release_refused, reply_edited
from tests.returning import RETURNING, arbitrated, first_receiver_assigned, on_day, reassigned

FOLDER = Path(__file__).parent / "golden"
GIVEN = received(
    "路灯和路面都坏了",
    "东门外 🚦 已三天。",
    area="东屿区",
    contact=Contact(name="陈测试", phone="13900000000", email="writer@mail.example"),
    public=True,
)
DISPUTE = (received("路灯不亮"), returned("lighting"), assigned("roads"), returned("roads"))
PUBLISHED = (received("路灯不亮", "我住三单元。", public=True), contributed("lighting", "灯亮了"))
ASKED = told(GIVEN, asked("roads", "请问是哪一段路？", by="王工"), city=ASKING)
REMIND_AT, CLOSE_AT = ASKED.case.questions[0].remind_at, ASKED.case.questions[0].close_at
IN_APRIL = datetime(2026, 4, 10, 4, tzinfo=UTC)
NEXT_WEEK = MONDAY_NOON + timedelta(days=7)
OTHER_CITIES: Mapping[str, CityIndex] = {
    "part.offered-in-working-time": WORKING_TIME,
    "part.returned-to-next-rule": RETURNING,
    "part.returned-too-late": RETURNING,
    "case.arbitrate": RETURNING,
    "case.arbitrate-keeps-part": RETURNING,
    "case.assign-first-receiver": RETURNING,
    "case.approve": ONE,
    "case.refuse-release": TWO,
    "reply.go-ahead": APPROVED_FIRST,
    "part.contributed-late": GOING_AHEAD,
    "part.delegated": BUREAUS,
    "part.delegated-withdrawn": BUREAUS,
    "hall.automatic": AUTOMATIC,
    "part.corrected-with-approval": ONE,
    "inquiry.added": ASKING,
    "inquiry.closed": ASKING,
    "case.ask": ASKING,
    "case.extend": ASKING,
}
"""The city of a story, when it is not DIRECTORY."""
STORIES: Mapping[str, Story] = {
    "inquiry.received": told(GIVEN),
    "inquiry.received-into-triage": told(received("别的事", confidential=True, language="en")),
    "part.accepted": told(GIVEN, accepted("roads", by="王工")),
    "part.contributed-draft": told(GIVEN, drafted("roads", "草稿")),
    "part.contributed": told(GIVEN, contributed("roads", "路补了", by="王工")),
    "part.replied": told(GIVEN, replied("roads", "周五完工")),
    "part.returned": told(GIVEN, returned("roads", suggest="water")),
    "case.assign": told(GIVEN, returned("lighting"), assigned("water", "roads")),
    "case.replay": told(GIVEN, replayed(), accepted("roads")),
    "case.withdraw-part": told(received("三家一起"), withdrawn("lighting")),
    "case.withdraw-last-part": told(received("路灯不亮"), withdrawn("lighting")),
    "inquiry.answered": told(GIVEN, contributed("lighting", "灯亮了"), contributed("roads", "路补了")),
    "inquiry.rated": told(received("路灯"), contributed("lighting", "亮了"), rated(satisfied="mostly", words="还行")),
    "inquiry.link-requested": told(GIVEN, link_requested()),
    "timer.rang": told(GIVEN, rang("roads", kind="due-soon"), rang("roads"), rang("lighting", behind=True)),
    "refusal": told(GIVEN, accepted("roads"), accepted("roads")),
    "imitation": told(GIVEN, accepted("roads", id="a"), contributed("roads", "补了", id="a")),
    "case.recall-part": told(GIVEN, recalled("lighting"), contributed("roads", "路补了"), assigned("roads", "water")),
    "case.recall-only-part": told(received("路灯不亮"), recalled("lighting"), assigned("water")),
    "staff.clerk-answers": told(
        GIVEN,
        at_the_desk(accepted("roads", by="luo"), 345678901),
        at_the_desk(replied("roads", "周五完工", by="luo"), 345678901),
        at_the_desk(contributed("roads", "路补了", by="luo"), 345678901),
        contributed("lighting", "灯亮了"),
    ),
    "staff.clerk-refused": told(GIVEN, accepted("roads"), at_the_desk(accepted("roads", by="luo"), 345678901)),
    "staff.coordinator-assigns": told(
        received("别的事"), at_the_desk(assigned("parks", "water"), 456789012, "coordinator")
    ),
    "part.offered-in-working-time": told(GIVEN, city=WORKING_TIME),
    "part.returned-to-next-rule": told(received("路灯和水管都坏了"), returned("lighting"), city=RETURNING),
    "part.returned-too-late": told(GIVEN, on_day(returned("roads"), NEXT_WEEK), city=RETURNING),
    "case.reassign": told(GIVEN, reassigned("roads", "parks")),
    "case.arbitrate": told(*DISPUTE, arbitrated("roads", "lighting", words="道路处牵头"), city=RETURNING),
    "case.arbitrate-keeps-part": told(
        received("三家一起"), returned("roads"), returned("water"), arbitrated("lighting"), city=RETURNING
    ),
    "case.assign-first-receiver": told(*DISPUTE, on_day(first_receiver_assigned(), NEXT_WEEK), city=RETURNING),
    "case.approve": told(
        GIVEN,
        contributed("lighting", "灯亮了"),
        at_the_desk(contributed("roads", "路补了", by="luo"), 345678901),
        approved(567890123, department="roads"),
        city=ONE,
    ),
    "case.refuse-release": told(
        GIVEN,
        contributed("lighting", "灯亮了"),
        contributed("roads", "路补了"),
        approved(567890123),
        reply_edited(opening="您好：", closing="此复。", order=("roads", "lighting")),
        approved(567890123, text_hash="0" * 64),
        release_refused(part_of_department="roads"),
        contributed("roads", "路面周五重铺"),
        approved(567890123),
        reply_edited(opening="", user=345678901),
        release_refused(user=678901234),
        city=TWO,
    ),
    "reply.go-ahead": told(
        GIVEN,
        contributed("lighting", "灯亮了"),
        late(went_ahead()),
        late(approved(567890123), 2),
        late(contributed("roads", "路补了"), 3),
        late(reply_edited(opening="补充如下：", closing="此复。"), 4),
        late(approved(567890123), 5),
        late(contributed("roads", "又补了一次"), 6),
        city=APPROVED_FIRST,
    ),
    "part.delegated": told(
        LIFTS,
        delegated("quality", "quality-east", "quality-west", text="请今日内核查"),
        accepted("quality-east"),
        contributed("quality-east", "东区三部电梯已停用检修"),
        returned("quality-west", "wrong-area", "不在本区"),
        delegated("quality", "quality-north", user=567890123),
        contributed("quality-north", "北区两部电梯合格"),
        contributed("quality", "全市电梯已核查"),
        city=BUREAUS,
    ),
    "part.delegated-withdrawn": told(
        LIFTS,
        delegated("quality", "quality-east", "quality-west"),
        withdrawn("quality-west"),
        returned("quality", words="由住建部门牵头"),
        city=BUREAUS,
    ),
    "part.contributed-late": told(
        GIVEN,
        late(contributed("lighting", "灯亮了")),
        late(accepted("roads"), 2),
        late(contributed("roads", "路补了"), 3),
        city=GOING_AHEAD,
    ),
    "hall.published": told(*PUBLISHED, published(), reported(), redacted(), hidden(None), published(H2, "核对过")),
    "hall.automatic": told(*PUBLISHED, corrected("lighting", "亮了两盏"), city=AUTOMATIC),
    "part.corrected": told(
        GIVEN,
        contributed("lighting", "灯亮了"),
        contributed("roads", "路补了"),
        corrected("roads", "路面周五补"),
        retracted("lighting"),
        corrected("lighting", "灯亮了两盏", user=345678901, by_city=True),
        retracted(),
    ),
    "part.corrected-with-approval": told(
        received("路灯不亮"),
        contributed("lighting", "灯亮了"),
        approved(567890123),
        corrected("lighting", "灯亮了两盏"),
        release_refused(user=567890123),
        corrected("lighting", "两盏灯周五亮"),
        approved(567890123),
        city=ONE,
    ),
    "inquiry.added": told(
        added("补充：在东门外。"),
        added("三号楼前的那一段。"),
        contributed("roads", "路补了"),
        after_this=ASKED,
        city=ASKING,
    ),
    "inquiry.closed": told(
        contributed("lighting", "灯亮了"),
        rang_at("asking-reminder", REMIND_AT, "roads"),
        rang_at("asking-close", CLOSE_AT),
        on_day(added("三号楼前的那一段。"), IN_APRIL),
        after_this=ASKED,
        city=ASKING,
    ),
    "case.ask": told(received("别的事"), asked_for_case(), added("在西门"), assigned("parks"), city=ASKING),
    "case.extend": told(
        GIVEN,
        extension_asked("roads", IN_APRIL),
        extension_refused("roads"),
        extension_asked("roads", IN_APRIL),
        extended("roads"),
        city=ASKING,
    ),
    "inquiry.reopened": told(
        GIVEN,
        contributed("lighting", "灯亮了"),
        contributed("roads", "路补了"),
        rated(solved=False, satisfied="no", words="路灯第二天又灭了，路面也没有补平，请再派人来看。"),
        accepted("lighting"),
        contributed("lighting", "换了整套线路，灯亮了"),
        contributed("roads", "路面已重铺"),
        rating_reminder(),
        rated(2, solved=True, satisfied="no"),
        assigned("parks"),
        contributed("parks", "树枝挡住了灯，已修剪"),
        rated(3, solved=False, satisfied="mostly"),
        closed(),
    ),
    "case.refuse": told(received("三家一起"), contributed("roads", "路补了"), returned("water"), refused()),
    "inquiry.withdrawn": told(GIVEN, accepted("roads"), inquiry_withdrawn("已自行解决"), accepted("lighting")),
    "case.link": told(GIVEN, linked()),
    "case.erase": told(GIVEN, accepted("roads"), drafted("roads", "草稿"), erased(), contributed("roads", "路补了")),
    "case.erase-undecided": told(erased(), GIVEN),
}


def row(record: Record) -> dict[str, Any]:
    """A record in the format of the golden files."""
    headers = {name: (value or b"").decode() for name, value in record.headers}
    return {"key": (record.key or b"").decode(), "headers": headers, "value": (record.value or b"").decode()}


def record(stored: Mapping[str, Any], topic: str, offset: int = 0) -> Record:
    headers = [(name, text.encode()) for name, text in stored["headers"].items()]
    return a_record(stored["value"].encode(), headers, topic=topic, key=stored["key"].encode(), offset=offset)


def state(case: Case) -> dict[str, Any]:
    """The state of a case as plain JSON."""
    parts = [
        {
            "id": one.id,
            "department": one.department,
            "role": one.role,
            "state": one.state,
            "text": one.text and one.text.text,
        }
        for one in case.parts.values()
    ]
    return {
        "n": case.n,
        "sequence": case.sequence,
        "head": case.head,
        "state": case.state,
        "lead": case.lead,
        "co_handlers": list(case.co_handlers),
        "round": case.round,
        "rated": sorted(case.rated),
        "causes": sorted(case.causes),
        "parts": parts,
    }


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """A stored decision as JSON, with markers for bytes and times."""

    def marked(value: Any) -> Any:
        if isinstance(value, bytes):
            return {"bytes": value.hex()}
        return {"time": timestamps.to_text(value)} if isinstance(value, datetime) else value

    return {name: marked(value) for name, value in document.items()}


def unmarked(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `plain`."""

    def value_of(value: Any) -> Any:
        match value:
            case {"bytes": str(text)}:
                return bytes.fromhex(text)
            case {"time": str(text)}:
                return timestamps.from_text(text)
        return value

    return {name: value_of(value) for name, value in stored.items()}


def golden_decisions(story: Story) -> dict[str, Any]:
    return {
        "inputs": [row(input_record(given)) for given in story.inputs],
        "decisions": [plain(one.document()) for one in story.decisions],
        "case": state(story.case),
    }


def first_messages() -> dict[str, Message]:
    """One message of each type and topic that the core writes."""
    found: dict[str, Message] = {}
    for story in STORIES.values():
        for message in story.messages:
            where = {topics.EVENTS: "event", topics.RESIDENTS: "resident"}.get(message.topic, "inbox")
            found.setdefault(f"{where}-{message.type.removeprefix('chorus.')}", message)
    return found


MESSAGES = first_messages()


def wanted() -> dict[str, Any]:
    """The golden files of the current code, by name without version."""
    decisions = {f"decision-{name}": golden_decisions(story) for name, story in STORIES.items()}
    return decisions | {name: {"topic": message.topic} | row(record_of(message)) for name, message in MESSAGES.items()}


def text_of(golden: Any) -> str:
    return json.dumps(golden, ensure_ascii=False, indent=1) + "\n"


def versions(name: str) -> list[Path]:
    """The files with this name, oldest first."""
    files = FOLDER.glob(f"{name}.v*.json")
    return sorted(files, key=lambda one: int(one.name.removesuffix(".json").rpartition(".v")[2]))


ALL = sorted(path.name for path in FOLDER.glob("*.json"))
DECISIONS = [name for name in ALL if name.startswith("decision-")]
OTHERS = [name for name in ALL if not name.startswith("decision-")]


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", DECISIONS)
def test_decisions_of_every_version_fold_into_the_recorded_state(name: str) -> None:
    golden = read(name)
    decisions = [from_document(unmarked(stored)) for stored in golden["decisions"]]
    assert state(case_of(decisions[0].inquiry_id, decisions)) == golden["case"]


@pytest.mark.parametrize("name", DECISIONS)
def test_inputs_of_every_version_are_readable(name: str) -> None:
    for stored in read(name)["inputs"]:
        given = read_input(record(stored, topics.INPUTS))
        assert given is not None
        assert (given.id, given.type) == (stored["headers"]["ce_id"], stored["headers"]["ce_type"])


@pytest.mark.parametrize("name", OTHERS)
def test_messages_of_every_version_are_readable(name: str) -> None:
    stored = read(name)
    one = record(stored, stored["topic"])
    if stored["topic"] == topics.EVENTS:
        assert read_event(one).data == json.loads(stored["value"])
    elif stored["topic"] == topics.RESIDENTS:
        assert read_told(one) is not None
    else:
        INBOX[stored["headers"]["ce_type"]].model_validate_json(stored["value"])


@pytest.mark.parametrize("name", sorted(f"decision-{name}" for name in STORIES))
def test_the_same_inputs_make_the_same_bytes(name: str) -> None:
    """If the bytes differ, add a file with the next version."""
    golden = read(versions(name)[-1].name)
    city = OTHER_CITIES.get(name.removeprefix("decision-"), DIRECTORY)
    case, made = Case(golden["decisions"][0]["inquiry_id"]), list[Decision]()
    for offset, stored in enumerate(golden["inputs"]):
        given = read_input(record(stored, topics.INPUTS, offset))
        assert given is not None
        decision = decide(case, with_distinct_id(case, given), city)
        case = after(case, decision)
        made.append(decision)
    assert text_of([plain(one.document()) for one in made]) == text_of(golden["decisions"])


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_message_equals_its_newest_file(name: str) -> None:
    assert (versions(name)[-1]).read_text(encoding="utf-8") == text_of(wanted()[name])


def test_every_type_has_a_golden_file() -> None:
    decided = {f"chorus.{stored['type']}" for name in DECISIONS for stored in read(name)["decisions"]}
    assert decided == set(INPUTS)
    facts = {json.loads(fact)["type"] for name in DECISIONS for one in read(name)["decisions"] for fact in one["facts"]}
    assert facts == {f"chorus.{name}" for name in TYPES.values()}
    events = {stored["headers"]["ce_type"] for stored in map(read, OTHERS) if stored["topic"] == topics.EVENTS}
    assert events == set(EVENT_TYPES)
    inboxes = {stored["headers"]["ce_type"] for stored in map(read, OTHERS) if ".inbox" in stored["topic"]}
    assert set(INBOX) <= inboxes


if __name__ == "__main__":
    for name, golden in wanted().items():
        if not versions(name):
            (FOLDER / f"{name}.v1.json").write_text(text_of(golden), encoding="utf-8")
