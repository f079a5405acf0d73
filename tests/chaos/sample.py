"""A capture made by hand: two inquiries that went as they should, one of them public and answered jointly."""

import json
from dataclasses import replace
from typing import Any

from tests.chaos.audit.capture import EVENTS, INPUTS, RESIDENTS, Accepted, Capture, Mail, Record, digest

JOINT, SINGLE = "20261122-AAAAAAAA", "20261122-BBBBBBBB"
AT = "2026-11-22T10:00:{:02}.000Z"
DUE = {"accept": AT.format(30), "first_reply": AT.format(30), "resolve": AT.format(30)}
ADDRESS = "resident@mail.example"


class Story:
    """Writes one inquiry down, step by step, into topics and stores at once."""

    def __init__(self, inquiry_id: str, mark: str, email: str | None, public: bool) -> None:
        self.inquiry_id = inquiry_id
        self.accepted = Accepted(mark, (inquiry_id,), email, public)
        self.records: list[Record] = []
        self.decisions: list[dict[str, Any]] = []
        self.sequence = 0

    def record(self, topic: str, id_: str, kind: str, data: dict[str, Any], sequence: int = 0) -> Record:
        """Lay a record into a topic."""
        headers = {"ce_id": id_, "ce_type": f"chorus.{kind}", "ce_subject": self.inquiry_id}
        headers |= {"ce_sequence": str(sequence), "ce_recordedtime": AT.format(len(self.decisions))}
        value = json.dumps(data, ensure_ascii=False).encode()
        self.records.append(Record(topic, 0, len(self.records), self.inquiry_id, headers, value))
        return self.records[-1]

    def decided(self, kind: str, data: dict[str, Any], *facts: tuple[str, dict[str, Any]]) -> None:
        """An input, the decision on it, and every message that follows."""
        n = len(self.decisions) + 1
        cause = self.record(INPUTS, f"{self.inquiry_id}/input-{n}", kind, data)
        decision: dict[str, Any] = {"inquiry_id": self.inquiry_id, "n": n, "cause": cause.id, "type": cause.kind}
        decision |= {"refusal": None, "messages": [], "facts": [{"type": one, "data": of} for one, of in facts]}
        self.decisions.append(decision)
        for fact, of in facts:
            self.sequence += 1
            self._out(EVENTS, fact, of, self.sequence)
            if fact == "part.offered":
                self._out(f"departments.{of['department']}.inbox", fact, of, n)

    def told(self, what: str, reply: list[tuple[str, str]] | None = None) -> None:
        """What the resident hears of the last decision."""
        contact = {"email": self.accepted.email} if self.accepted.email else None
        data: dict[str, Any] = {"what": what, "contact": contact, "case": {"reply": paragraphs(reply)}}
        self._out(RESIDENTS, "resident.told", data, len(self.decisions))

    def wrote(self, department: str, kind: str, data: dict[str, Any], *facts: tuple[str, dict[str, Any]]) -> None:
        """A department's message, through the gate and the core."""
        self.record(f"departments.{department}.outbox", f"{data['part_id']}/{kind}", kind, data)
        self.decided(kind, data, *facts)

    def _out(self, topic: str, kind: str, data: dict[str, Any], sequence: int) -> None:
        id_ = f"{self.inquiry_id}/{topic}/{kind}/{len(self.records)}"
        record = self.record(topic, id_, kind, data, sequence)
        message = {"topic": topic, "id": id_, "type": f"chorus.{kind}", "digest": digest(record.value)}
        self.decisions[-1]["messages"].append(message)


def paragraphs(reply: list[tuple[str, str]] | None) -> dict[str, Any] | None:
    """A reply as residents see it."""
    return {"paragraphs": [{"department": code, "text": text} for code, text in reply]} if reply else None


def story(inquiry_id: str, mark: str, email: str | None, public: bool, departments: tuple[str, ...]) -> Story:
    """From the letter to the answer; the first department says an interim word."""
    told = Story(inquiry_id, mark, email, public)
    parts = {f"{inquiry_id}-p{number}": code for number, code in enumerate(departments, 1)}
    offers = [("part.offered", {"part_id": part, "department": code, "due": DUE}) for part, code in parts.items()]
    told.decided(
        "inquiry.received",
        {"body": f"路灯 (chaos {mark})"},
        ("inquiry.registered", {}),
        ("inquiry.assigned", {}),
        *offers,
    )
    told.told("registered")
    told.told("assigned")
    first = next(iter(parts))
    about = {"part_id": first, "department": parts[first]}
    told.wrote(parts[first], "part.replied", {"part_id": first, "text": "正在核实。"}, ("inquiry.replied", about))
    told.told("replied")
    for part, code in parts.items():
        facts: list[tuple[str, dict[str, Any]]] = [("part.contributed", {"part_id": part, "department": code})]
        if part == list(parts)[-1]:
            facts.append(("inquiry.answered", {"parts": list(parts), "round": 1}))
        told.wrote(code, "part.contributed", {"part_id": part, "text": f"{code}：已处理。"}, *facts)
    told.told("answered", [(code, f"{code}：已处理。") for code in departments])
    return told


def line(code: str, joint: int, assigned: int) -> dict[str, Any]:
    """A department's line: everything in time, nobody accepted in so many words."""
    said = {"kept": assigned, "broken": 0, "open": 0, "share": "1.0000"}
    return {
        "code": code,
        "volume": {"assigned": assigned, "answered": assigned, "released": assigned},
        "clocks": {"accept": {"kept": 0, "broken": assigned, "open": 0, "share": "0.0000"}}
        | {name: dict(said) for name in ("first_reply", "resolve")},
        "ratings": dict.fromkeys(("valid", "contacted", "solved", "satisfied", "mostly"), 0),
        "returned": 0,
        "joint": joint,
    }


def clean() -> Capture:
    """Nothing is wrong with it."""
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
    """The record with other fields; a new one, so that what was read of the old one is forgotten."""
    value = json.dumps({**record.data, **data}, ensure_ascii=False).encode()
    return Record(record.topic, record.partition, record.offset, record.key, record.headers, value)
