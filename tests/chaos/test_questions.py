"""The audit of questions and additions, and the recount with pauses, on a hand-made inquiry with planted faults."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from tests.chaos.audit.capture import EVENTS, Capture, Record
from tests.chaos.audit.cases import lay_out
from tests.chaos.audit.findings import Findings
from tests.chaos.audit.questions import check_questions
from tests.chaos.audit.recount import verdict
from tests.chaos.sample import AT, DUE, Facts, Fields, Story, Text, as_json, reworded

ASKED = "20261122-CCCCCCCC"
PART, OTHER = f"{ASKED}-p1", f"{ASKED}-p2"
INBOX, OTHER_INBOX = "departments.water.inbox", "departments.market.inbox"
MOVED = dict.fromkeys(DUE, AT.format(59))
WORDS = "三号楼"


def about(part: str, code: str, **more: object) -> Fields:
    return {"part_id": part, "department": code, **more}


def story() -> Story:
    """Two departments; the first asks, the resident answers, and it contributes."""
    told = Story(ASKED, "1-2", None, False)
    offers: Facts = [("part.offered", about(PART, "water", due=DUE)), ("part.offered", about(OTHER, "market", due=DUE))]
    told.decided("resident", "inquiry.received", {"body": "水"}, [("inquiry.registered", {}), *offers], ["registered"])
    question: Facts = [
        ("part.accepted", about(PART, "water")),
        ("part.asked", about(PART, "water", text=Text("哪一栋？"))),
        ("inquiry.paused", {"parts": [about(PART, "water", left={"resolve": 28_000})]}),
    ]
    told.wrote("water", "part.asked", {"part_id": PART, "text": "哪一栋？"}, question, ["asked"])
    answer: Facts = [
        ("inquiry.added", {"text": Text(WORDS)}),
        ("inquiry.resumed", {"parts": [about(PART, "water", due=MOVED)]}),
    ]
    added = [
        f"departments.{code}.inbox chorus.part.added {as_json({'part_id': part, 'text': WORDS})}"
        for part, code in ((PART, "water"), (OTHER, "market"))
    ]
    told.decided("resident", "inquiry.added", {"text": WORDS}, answer, ["progressed"], inbox=added)
    done: Facts = [("part.contributed", about(PART, "water", text=Text("好了")))]
    told.wrote("water", "part.contributed", {"part_id": PART, "text": "好了"}, done, [])
    return told


def with_departments(record: Record) -> Record:
    if record.topic != EVENTS or record.kind != "inquiry.added":
        return record
    return reworded(record, departments=["water", "market"])


def capture(change: Callable[[list[Record]], Sequence[Record]] = lambda records: records) -> Capture:
    told = story()
    records = [with_departments(one) for one in told.records]
    return Capture([told.accepted], list(change(records)), told.decisions, {}, [], [], [], [], {})


def found(of: Capture) -> list[str]:
    findings = Findings()
    check_questions(lay_out(of, findings)[ASKED], findings)
    return [str(one) for one in findings.found]


def without(kind: str, topic: str) -> Callable[[list[Record]], Sequence[Record]]:
    return lambda records: [one for one in records if (one.kind, one.topic) != (kind, topic)]


def again(kind: str, topic: str) -> Callable[[list[Record]], Sequence[Record]]:
    """The same message under another id; an event with the next number."""

    def change(records: list[Record]) -> Sequence[Record]:
        [one] = [one for one in records if (one.kind, one.topic) == (kind, topic)]
        headers = {**one.headers, "ce_id": "fresh", "ce_sequence": "99"}
        return [*records, replace(one, headers=headers)]

    return change


def test_a_correct_inquiry_has_no_findings() -> None:
    assert found(capture()) == []


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (without("part.added", OTHER_INBOX), "lost", f"the addition '{WORDS}' is not in {OTHER_INBOX}"),
        (again("part.added", INBOX), "double", f"the addition '{WORDS}' is in {INBOX} again"),
        (without("inquiry.added", EVENTS), "lost", "residents added 1 times, 0 times on the record"),
        (again("inquiry.added", EVENTS), "double", "residents added 1 times, 2 times on the record"),
        (without("inquiry.resumed", EVENTS), "wrong", "is contributed before its question is answered"),
        (without("inquiry.paused", EVENTS), "double", f"the part {PART} resumes without a pause"),
        (again("inquiry.paused", EVENTS), "lost", f"the part {PART} still pauses"),
    ],
)
def test_every_planted_fault_is_found(
    change: Callable[[list[Record]], Sequence[Record]], kind: str, words: str
) -> None:
    findings = found(capture(change))
    assert any(one.startswith(kind) and words in one for one in findings), findings


def test_the_recount_knows_pauses() -> None:
    """The resolve clock was due at second 30; the answer at second 3 moves it to second 59."""
    events = [one for one in capture().records if one.topic == EVENTS]
    offers = {one.data["part_id"]: one for one in events if one.kind == "part.offered"}
    [done] = [one for one in events if one.kind == "part.contributed"]
    late = [one for one in events if one is not done]

    def said(known: Sequence[Record], second: int) -> str:
        return verdict("resolve", offers[PART], list(known), datetime.fromisoformat(AT.format(second)))

    assert said(events, 59) == "kept"
    assert (said(late, 40), said(late, 58)) == ("open", "open")
    waiting = [one for one in late if one.kind not in ("inquiry.resumed", "inquiry.added")]
    assert said(waiting, 59) == "open"
    unpaused = [one for one in waiting if one.kind != "inquiry.paused"]
    assert said(unpaused, 40) == "broken"
