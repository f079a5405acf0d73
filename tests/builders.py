"""Builders for stories: `told(received("路灯不亮"), accepted("lighting"))` decides inputs with the real core."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.router.domain.case import Case, TimerKind
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decide import decide, with_distinct_id
from services.router.domain.decision import Actor, Decision, Input, Place, after
from services.router.domain.facts import Clock
from shared.city import City, Department, Name, Policy, Rule
from shared.contracts import ids
from shared.contracts.case_commands import CaseAssign, CaseRecallPart, CaseReplay, CaseWithdrawPart
from shared.contracts.department_outbox import PartAccepted, PartContributed, PartReplied, PartReturned
from shared.contracts.envelope import Message, Origin, Payload
from shared.contracts.fields import Contact
from shared.contracts.inputs import TimerRang
from shared.contracts.resident_inputs import InquiryLinkRequested, InquiryRated, InquiryReceived
from shared.contracts.sources import DEPARTMENT, DESK_DEPARTMENT_SOURCE, DESK_SOURCE, OPERATOR, RESIDENT, STAFF, TIMER
from shared.kafka import topics
from shared.kafka.records import Record
from shared.runtime import timestamps

INQUIRY = "20260316-7KQ2M9XD"
SALT = bytes(range(32))
MONDAY_NOON = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
"""Noon in Asia/Shanghai."""

NAMES = {
    "lighting": ("路灯管理所", "Street Lighting"),
    "roads": ("道路处", "Roads"),
    "water": ("自来水公司", "Water Works"),
    "parks": ("园林局", "Parks"),
    "noise": ("噪声科", "Noise Office"),
}


def filled(character: str, length: int) -> str:
    """A text of this length that is not blank."""
    return character * (length - 1) + "."


def a_rule(id_: str, word: str, lead: str, *co_handlers: str) -> Rule:
    """A rule with one term."""
    why = Name(zh=f"{word}归{lead}", en=f"{lead} answers for {id_}")
    return Rule(id=id_, lead=lead, co_handlers=co_handlers, any=(word,), why=why)


def a_department(code: str, zh: str = "某局", en: str = "Some Bureau", **more: Any) -> Department:
    """A department with a fictional address."""
    return Department(code=code, name=Name(zh=zh, en=en), email=f"desk@{code}.example", **more)


def a_city(*departments: Department, rules: Sequence[Rule] = (), revision: int = 1) -> City:
    """A city whose clocks are one day to accept, three to the first reply, fifteen to resolve."""
    return City(
        revision=revision,
        name=Name(zh="云汀", en="Yunting"),
        time_zone="Asia/Shanghai",
        departments=departments,
        rules=tuple(rules),
        policies=(Policy(id="standard", accept_h=24, first_reply_h=72, resolve_h=360),),
    )


CITY = a_city(
    *(a_department(code, zh, en) for code, (zh, en) in NAMES.items()),
    a_department("east", "东屿区", "Eastern Isle", kind="district", areas=("东屿区",)),
    rules=(
        a_rule("dark-and-broken", "路灯和路面", "lighting", "roads"),
        a_rule("three-of-them", "三家一起", "lighting", "roads", "water"),
        a_rule("dark", "路灯", "lighting"),
        a_rule("pipes", "水管", "water"),
    ),
)
DIRECTORY = city_index(CITY)


# ── steps of a story ─────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Step:
    """An input; `payload` is called with the case before it. `id` defaults to the step's number.

    `user` and `role` are those of a staff user at the desk.
    """

    payload: Callable[[Case], Payload]
    department: str | None = None
    id: str | None = None
    at: datetime | None = None
    user: int | None = None
    role: str | None = None


def received(subject: str, body: str = "请尽快处理，谢谢。", *, id: str | None = None, **more: Any) -> Step:
    """A resident's message."""

    def payload(case: Case) -> Payload:
        fields: dict[str, Any] = {"inquiry_id": case.inquiry_id, "received_at": MONDAY_NOON}
        return InquiryReceived(**(fields | {"subject": subject, "body": body} | more))

    return Step(payload, id=id)


def rated(round: int = 1, *, solved: bool = True, satisfied: str = "yes", words: str | None = None) -> Step:
    """A resident's rating of a round."""
    fields = {"round": round, "solved": solved, "satisfied": satisfied, "words": words}
    return Step(lambda case: InquiryRated.model_validate(fields | {"inquiry_id": case.inquiry_id}))


def link_requested() -> Step:
    """Somebody asks for the link to the ticket."""
    return Step(lambda case: InquiryLinkRequested(inquiry_id=case.inquiry_id))


def _of(department: str, kind: Callable[..., Payload], part: str | None, id: str | None, **fields: Any) -> Step:
    return Step(lambda case: kind(part_id=part or part_of(case, department), **fields), department, id)


def accepted(department: str, *, part: str | None = None, by: str | None = None, id: str | None = None) -> Step:
    """A department accepts its part."""
    return _of(department, PartAccepted, part, id, by=by)


def contributed(
    department: str, text: str, *, part: str | None = None, by: str | None = None, id: str | None = None
) -> Step:
    """A department contributes its text to the joint reply."""
    return _of(department, PartContributed, part, id, text=text, by=by)


def drafted(department: str, text: str) -> Step:
    """A department sends a draft."""
    return _of(department, PartContributed, None, None, text=text, final=False)


def replied(department: str, text: str, *, part: str | None = None, by: str | None = None) -> Step:
    """A department sends an interim reply."""
    return _of(department, PartReplied, part, None, text=text, by=by)


def returned(
    department: str,
    reason: str = "not-ours",
    words: str = "不归我们管",
    suggest: str | None = None,
    *,
    part: str | None = None,
) -> Step:
    """A department returns its part."""
    return _of(department, PartReturned, part, None, reason=reason, words=words, suggest=suggest)


def assigned(lead: str, *co_handlers: str) -> Step:
    """An operator assigns from triage."""
    return Step(lambda case: CaseAssign(inquiry_id=case.inquiry_id, lead=lead, co_handlers=co_handlers))


def withdrawn(department: str, why: str = "不再需要") -> Step:
    """An operator withdraws a part."""
    return Step(lambda case: CaseWithdrawPart(inquiry_id=case.inquiry_id, part_id=part_of(case, department), why=why))


def recalled(department: str, why: str = "The department is retired: 并入水务局") -> Step:
    """The part of a retired department is recalled."""

    def payload(case: Case) -> Payload:
        about = {"inquiry_id": case.inquiry_id, "part_id": part_of(case, department)}
        return CaseRecallPart(**about, reason="department-retired", why=why)

    return Step(payload)


def replayed() -> Step:
    """An operator replays a parked input."""
    return Step(lambda case: CaseReplay(inquiry_id=case.inquiry_id))


def rang(
    department: str,
    clock: Clock = "accept",
    kind: TimerKind = "overdue",
    *,
    at: str | None = None,
    behind: bool = False,
) -> Step:
    """A timer of the department's part rings, for the due time that the part has now, or for `at`."""

    def payload(case: Case) -> Payload:
        part_id = part_of(case, department)
        due_at = at or (case.parts[part_id].due[clock] if part_id in case.parts else MONDAY_NOON)
        about = {"inquiry_id": case.inquiry_id, "part_id": part_id, "clock": clock, "kind": kind}
        return TimerRang.model_validate(about | {"due_at": due_at, "gate_behind": behind})

    return Step(payload)


def later(step: Step, at: datetime) -> Step:
    """The same step, recorded at this time."""
    return replace(step, at=at)


def at_the_desk(step: Step, user: int, role: str = "clerk") -> Step:
    """The same step, entered at the desk by a staff user: a department without Kafka works this way."""
    return replace(step, user=user, role=role)


def part_of(case: Case, department: str) -> str:
    """The newest part_id of a department, or an unknown one if it has none."""
    parts = [part.id for part in case.parts.values() if part.department == department]
    return parts[-1] if parts else f"{case.inquiry_id}-p99"


# ── telling ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Story:
    """A case and all its decisions."""

    case: Case
    decisions: tuple[Decision, ...] = ()
    inputs: tuple[Input, ...] = ()

    @property
    def last(self) -> Decision:
        """The newest decision."""
        return self.decisions[-1]

    @property
    def refusal(self) -> str | None:
        """The reason of the last input's refusal; None when it was accepted."""
        return self.last.refused.reason if self.last.refused else None

    @property
    def messages(self) -> list[Message]:
        """Every message of the story, in order."""
        return [message for decision in self.decisions for message in decision.messages]

    def on(self, topic: str) -> list[tuple[str, dict[str, Any]]]:
        """Type (without prefix) and value of every message on a topic, in order."""
        return on(topic, self.messages)

    def events(self) -> list[str]:
        """The types of the case's events."""
        return [kind for kind, _ in self.on(topics.EVENTS)]

    def resident(self) -> dict[str, Any]:
        """The last message to the resident."""
        return self.on(topics.RESIDENTS)[-1][1]

    def texts(self) -> list[str]:
        """The paragraphs of the joint reply in the last message to the resident."""
        return [one["text"] for one in self.resident()["case"]["reply"]["paragraphs"]]


def told(
    *steps: Step, city: CityIndex = DIRECTORY, inquiry_id: str = INQUIRY, after_this: Story | None = None
) -> Story:
    """Decide the steps one hour apart, as the core does; a repeat makes no decision."""
    story = after_this or Story(Case(inquiry_id))
    for step in steps:
        given = given_by(step, story.case, len(story.inputs) + 1)
        one = with_distinct_id(story.case, given)
        if one.id in story.case.causes:
            story = Story(story.case, story.decisions, (*story.inputs, given))
        else:
            decision = decide(story.case, one, city)
            story = Story(after(story.case, decision), (*story.decisions, decision), (*story.inputs, given))
    return story


def given_by(step: Step, case: Case, number: int) -> Input:
    """The input of a step for this case."""
    payload = step.payload(case)
    value = payload.model_dump_json().encode()
    origin = f"origin-{step.id or number}" if step.department and step.user is None else None
    return Input(
        id=step.id or f"input-{number}",
        type=payload.type,
        inquiry_id=case.inquiry_id,
        payload=payload,
        recorded_at=timestamps.to_text(step.at or MONDAY_NOON + timedelta(hours=number - 1)),
        digest=ids.digest(payload.type.encode() + b"\n" + value),
        salt=SALT,
        actor=Actor(STAFF, step.role) if step.role else actor_of(payload, step.department),
        at=Place(0, number - 1),
        department=step.department,
        origin=origin,
        user=step.user,
    )


def actor_of(payload: Payload, department: str | None) -> Actor:
    """The actor of such an input."""
    if department is not None:
        return Actor(DEPARTMENT)
    if payload.type == TimerRang.type:
        return Actor(TIMER)
    return Actor(RESIDENT) if payload.type.startswith("chorus.inquiry.") else Actor.read(OPERATOR)


def on(topic: str, messages: Iterable[Message]) -> list[tuple[str, dict[str, Any]]]:
    """Type (without prefix) and value of the messages on one topic."""
    return [(one.type.removeprefix("chorus."), json.loads(one.value)) for one in messages if one.topic == topic]


def a_record(
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]] = (),
    *,
    topic: str = topics.INPUTS,
    key: bytes | None = None,
    partition: int = 0,
    offset: int = 0,
) -> Record:
    """A record of a topic, at noon."""
    at_ms = int(MONDAY_NOON.timestamp() * 1000)
    return Record(topic, partition, offset, at_ms, key, value, tuple(headers))


def record_of(message: Message, offset: int = 0) -> Record:
    """A message as a record of its topic."""
    key, value, headers = message.record
    return a_record(value, headers, topic=message.topic, key=key, offset=offset)


WRITER = Contact(name="陈测试", phone="13900000000", email="writer@mail.example")


def input_record(given: Input) -> Record:
    """An input as a record of the log."""
    department, salt = given.department, given.salt.hex()
    source = f"departments/{department}" if department else "chorus/intake"
    if given.user is not None:
        source = f"{DESK_DEPARTMENT_SOURCE}{department}" if department else DESK_SOURCE
    sender = given.actor.text, salt, given.user
    origin = Origin(source, given.inquiry_id, given.recorded_at, given.origin, None, *sender)
    value = given.payload.model_dump_json().encode()
    return record_of(Message(topics.INPUTS, given.inquiry_id, given.id, given.type, origin, value), given.at.offset)
