"""A hand-made correct capture with two inquiries, one of them public with a joint reply."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from tests.chaos.audit.capture import EVENTS, INPUTS, RESIDENTS, Accepted, Capture, Decision, Mail, Record
from tests.chaos.audit.completion import PICTURE, completed
from tests.chaos.audit.texts import commitment

JOINT, SINGLE = "20261122-AAAAAAAA", "20261122-BBBBBBBB"
AT = "2026-11-22T10:00:{:02}.000Z"
DUE = {"accept": AT.format(30), "first_reply": AT.format(30), "resolve": AT.format(30)}
ADDRESS = "resident@mail.example"
Fields = dict[str, Any]
Fact = tuple[str, Fields]
Facts = list[Fact]


@dataclass(frozen=True)
class Text:
    """A text with a commitment; one that is in the words of another fact is not stored again."""

    text: str
    stored: bool = True


class Story:
    """Writes one inquiry step by step into topics and stores."""

    def __init__(self, inquiry_id: str, mark: str, email: str | None, public: bool) -> None:
        self.inquiry_id = inquiry_id
        self.accepted = Accepted(mark, (inquiry_id,), email, public)
        self.records: list[Record] = []
        self.decisions: list[Decision] = []
        self.facts: list[str] = []

    def record(self, topic: str, value: str, **headers: str) -> Record:
        """Append a record to a topic."""
        given = {f"ce_{name}": text for name, text in headers.items()} | {"ce_subject": self.inquiry_id}
        self.records.append(Record(topic, 0, len(self.records), self.inquiry_id, given, value.encode()))
        return self.records[-1]

    def decided(
        self,
        actor: str,
        kind: str,
        data: Fields,
        facts: Facts,
        told: Sequence[str],
        reply: str = "null",
        inbox: Sequence[str] = (),
    ) -> None:
        """An input, its decision, and its messages; `told` is the resident message, `inbox` has further messages."""
        n, salt = len(self.decisions) + 1, digest(f"{self.inquiry_id}/{len(self.decisions)}".encode())
        at = AT.format(n)
        id_, spoken = f"{self.inquiry_id}/input-{n}", as_json(data)
        about = {"time": at, "recordedtime": at, "actor": actor, "salt": salt}
        cause = self.record(INPUTS, spoken, id=id_, type=f"chorus.{kind}", **about)
        words: dict[str, str] = {}
        own = [self._fact(at, actor, salt, index, one, words) for index, one in enumerate(facts)]
        messages = [
            f"departments.{fields['department']}.inbox chorus.{name} {as_json(fields)}"
            for name, fields in facts
            if name == "part.offered"
        ]
        messages += inbox
        messages += [f'{RESIDENTS} chorus.resident.told {{"what":"{what}"{PICTURE}}}}}' for what in told]
        contact = as_json({"email": self.accepted.email}) if self.accepted.email else "null"
        self.decisions.append(
            Decision(
                inquiry_id=self.inquiry_id,
                n=n,
                cause=id_,
                type=kind,
                at=(cause.partition, cause.offset),
                actor=actor,
                salt=salt,
                decided_at=at,
                facts=own,
                head=digest(self.facts[-1].encode()),
                words=words,
                messages=messages,
                picture=f',"contact":{contact},"case":{{"reply":{reply}',
            )
        )
        self._publish()

    def wrote(self, department: str, kind: str, data: Fields, facts: Facts, told: Sequence[str], **reply: str) -> None:
        """A department's message, through gate and core."""
        id_ = f"{data['part_id']}/{kind}"
        self.record(f"departments.{department}.outbox", as_json(data), id=id_, type=f"chorus.{kind}")
        self.decided("department", kind, data, facts, told, **reply)

    def _fact(self, at: str, actor: str, salt: str, index: int, one: Fact, words: dict[str, str]) -> str:
        kind, fields = one
        said = {"type": f"chorus.{kind}", "inquiry_id": self.inquiry_id, "sequence": len(self.facts) + 1, "at": at}
        standing = {"state": "assigned", "departments": [], "part_states": {"offered": 1}}
        prev = digest(self.facts[-1].encode()) if self.facts else None
        own = promised(fields, f"{index}", salt, words)
        self.facts.append(as_json({**said, "actor": {"kind": actor}, **own, **standing, "prev": prev}))
        return self.facts[-1]

    def _publish(self) -> None:
        """Publish the messages of the last decision."""
        there = {one.id for one in self.records}
        for one in completed(self.decisions):
            if one.id not in there:
                headers = {name.removeprefix("ce_"): text for name, text in one.headers.items() if name != "ce_subject"}
                self.record(one.topic, one.value.decode(), id=one.id, **headers)


def promised(value: Any, place: str, salt: str, words: dict[str, str]) -> Any:
    """The value with a commitment for each text; stored ones go into the words."""
    if isinstance(value, dict):
        return {name: promised(one, f"{place}/{name}", salt, words) for name, one in value.items()}
    if isinstance(value, list):
        return [promised(one, f"{place}/{at}", salt, words) for at, one in enumerate(value)]
    if not isinstance(value, Text):
        return value
    if value.stored:
        words[place] = value.text
    return {"sha256": commitment(salt, place, value.text)}


def digest(value: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(value).hexdigest()


def as_json(value: Any) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def paragraphs(reply: list[tuple[str, str]] | None) -> dict[str, Any] | None:
    """A reply as residents see it."""
    return {"paragraphs": [{"department": code, "text": text} for code, text in reply]} if reply else None


def story(inquiry_id: str, mark: str, email: str | None, public: bool, departments: tuple[str, ...]) -> Story:
    """From the message to the reply; the first department sends an interim reply."""
    told = Story(inquiry_id, mark, email, public)
    parts = {f"{inquiry_id}-p{number}": code for number, code in enumerate(departments, 1)}
    about = {part: {"part_id": part, "department": code} for part, code in parts.items()}
    offers: Facts = [("part.offered", about[part] | {"due": DUE, "round": 1}) for part in parts]
    body = f"路灯 (chaos {mark})"
    came: Facts = [("inquiry.registered", {"body": Text(body)}), ("inquiry.assigned", {"why": Text("路灯")}), *offers]
    told.decided("resident", "inquiry.received", {"body": body}, came, ["registered", "assigned"])
    word, first = "正在核实。", next(iter(parts))
    facts: Facts = [("inquiry.replied", about[first] | {"text": Text(word)})]
    told.wrote(parts[first], "part.replied", {"part_id": first, "text": word}, facts, ["replied"])
    for part, code in parts.items():
        text = f"{code}：已处理。"
        facts = [("part.contributed", about[part] | {"text": Text(text)})]
        last = part == list(parts)[-1]
        answer = joint(told, about, facts) if last else {}
        told.wrote(code, "part.contributed", {"part_id": part, "text": text}, facts, ["answered"] * last, **answer)
    return told


def joint(told: Story, about: Mapping[str, Fields], facts: Facts) -> dict[str, str]:
    """Add the joint reply to the facts of the last contribution; returns the reply with references."""
    texts = [f"{one['department']}：已处理。" for one in about.values()]
    rows = [one | {"text": Text(text, stored=False)} for one, text in zip(about.values(), texts, strict=True)]
    composed = {"round": 1, "text": Text("".join(texts), stored=False), "paragraphs": rows}
    facts += [("reply.composed", composed), ("inquiry.answered", {"parts": list(about), "round": 1})]
    places = [f"\x1a{at}/0/text\x1a" for at in range(len(told.decisions) + 2 - len(about), len(told.decisions) + 2)]
    codes = [one["department"] for one in about.values()]
    shown = [{"department": code, "text": place} for code, place in zip(codes, places, strict=True)]
    return {"reply": as_json({"paragraphs": shown}).replace("\\u001a", "\x1a")}


def line(code: str, joint: int, assigned: int) -> dict[str, Any]:
    """A department's row: all clocks kept, no explicit acceptance."""
    said = {"kept": assigned, "broken": 0, "open": 0, "share": "1.0000"}
    return {
        "code": code,
        "volume": {"assigned": assigned, "answered": assigned, "released": assigned},
        "clocks": {"accept": {"kept": 0, "broken": assigned, "open": 0, "share": "0.0000"}}
        | {name: dict(said) for name in ("first_reply", "resolve")},
        "ratings": dict.fromkeys(("valid", "contacted", "solved", "satisfied", "mostly"), 0),
        "returned": 0,
        "reopened": 0,
        "joint": joint,
    }


def clean() -> Capture:
    """The capture without any fault."""
    stories = [
        story(JOINT, "1-0", ADDRESS, True, ("environment", "urban-management")),
        story(SINGLE, "1-1", None, False, ("environment",)),
    ]
    records = [record for one in stories for record in one.records]
    events = [one for one in records if one.topic == EVENTS]
    mailed = [one for one in records if one.topic == RESIDENTS and one.data["contact"]]
    offered = [one for one in events if one.kind == "part.offered" and one.data["department"] == "environment"]
    board = {
        "period": {"from": "2026-10-31T16:00:00.000Z", "to": "2026-11-30T16:00:00.000Z"},
        "as_of": "2026-11-22T11:00:00.000Z",
        "departments": [line("environment", 1, 2), line("urban-management", 1, 1)],
    }
    return Capture(
        accepted=[one.accepted for one in stories],
        records=records,
        decisions=[decision for one in stories for decision in one.decisions],
        ledger={one.id: one.inquiry_id for one in records if one.kind == "inquiry.received"},
        unpublished=[],
        scored=[
            {"_id": one.id, "inquiry_id": one.inquiry_id, "sequence": int(one.headers["ce_sequence"]), "type": one.kind}
            for one in events
        ],
        mails=[Mail(one.id, ADDRESS) for one in mailed] + [Mail(one.id, "desk@environment.example") for one in offered],
        hall=[JOINT],
        tickets={
            JOINT: {"reply": paragraphs([(c, f"{c}：已处理。") for c in ("environment", "urban-management")])},
            SINGLE: {"reply": paragraphs([("environment", "environment：已处理。")])},
        },
        boards=[board],
        addresses={"environment": "desk@environment.example"},
    )


def renamed(record: Record, **headers: str) -> Record:
    """The record with other headers."""
    return replace(record, headers={**record.headers, **headers})


def reworded(record: Record, **data: Any) -> Record:
    """A new record with other fields, so that cached values are not reused."""
    value = json.dumps({**record.data, **data}, ensure_ascii=False).encode()
    return Record(record.topic, record.partition, record.offset, record.key, record.headers, value)
