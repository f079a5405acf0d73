"""Who is told what: facts become events for everyone, inbox messages for departments and words for the resident."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from services.router.domain import words
from services.router.domain.case import Case
from services.router.domain.decision import SOURCE, Input, Refusal
from services.router.domain.directory import Directory
from shared.contracts.envelope import PREFIX, Message, Origin, as_json
from shared.contracts.facts import Fact
from shared.contracts.ids import derived_id
from shared.kafka import topics

REASON_CODE = re.compile(r"[a-z]+(-[a-z]+)*")
PUBLIC_FIELDS: Mapping[str, tuple[str, ...]] = {
    "inquiry.registered": ("channel", "language", "public", "received_at"),
    "inquiry.triaged": ("reason", "part_id", "department"),
    "inquiry.assigned": ("lead", "co_handlers", "rule", "policy_id", "round"),
    "inquiry.replied": ("part_id", "department"),
    "inquiry.answered": ("round", "parts"),
    "inquiry.rated": ("round", "solved", "satisfied"),
    "part.offered": ("part_id", "department", "role", "due", "round"),
    "part.accepted": ("part_id", "department"),
    "part.contributed": ("part_id", "department"),
    "part.returned": ("part_id", "department", "reason", "suggest"),
    "part.withdrawn": ("part_id", "department"),
}
"""What of each fact everyone may read: never a resident's words, never a contact. A fact not named here is no event.

Each event also says the `state` of its case, the `departments` that handle it, lead first, and `part_states`, how many
parts are in each state."""


def messages(
    before: Case, case: Case, given: Input, facts: Sequence[Fact], refusal: Refusal | None, directory: Directory
) -> tuple[tuple[Message, ...], int]:
    """Every message that follows from a decision, in order, and the sequence of the case's last event.

    `case` is the one after the facts: all of them are told as things stand when the last of them is true.
    """
    write = _Writer(case, given, before.n + 1, before.sequence)
    picture = _picture(case, directory)
    for fact in facts:
        write.event(fact, directory)
        if (tell := FOR_DEPARTMENTS.get(fact.type)) is not None:
            for department, kind, data in tell(case, fact, directory):
                write.inbox(department, kind, data)
        if picture is not None and (what := WHAT.get(fact.type)) is not None:
            write.resident(_for_the_resident(case, fact, what, picture, directory))
    if refusal is not None and given.department is not None:
        data = {"cause": given.origin or given.id, "reason": refusal.reason, "remedy": refusal.remedy}
        write.inbox(given.department, "message.refused", data)
    return tuple(write.messages), write.sequence


class _Writer:
    """Addresses, numbers and serialises what follows from one decision, the n-th."""

    def __init__(self, case: Case, given: Input, n: int, sequence: int) -> None:
        self.given = given
        self.n = n
        self.origin = Origin(SOURCE, given.inquiry_id, given.recorded_at, given.id)
        states = [part.state for part in case.parts.values()]
        departments = [part.department for part in case.active_parts]
        part_states = {state: states.count(state) for state in sorted(set(states))}
        self.standing = {"state": case.state, "departments": departments, "part_states": part_states}
        self.round = case.round
        self.sequence = sequence
        self.ordinals: dict[tuple[str, str], int] = {}
        self.messages: list[Message] = []

    def event(self, fact: Fact, directory: Directory) -> None:
        fields = PUBLIC_FIELDS.get(fact.type)
        if fields is None:
            return
        self.sequence += 1
        say = fact.data.get
        data = {"inquiry_id": self.given.inquiry_id, **{name: say(name) for name in fields}, **self.standing}
        if fact.type == "part.returned":
            data |= _as_codes(fact.data, directory)
        if fact.type == "inquiry.registered":
            data["area"] = directory.area(fact.data.get("area"))
        self._write(topics.EVENTS, fact.type, data, self.sequence)

    def inbox(self, department: str, kind: str, data: Mapping[str, Any]) -> None:
        self._write(topics.inbox(department), kind, data, self.n)

    def resident(self, data: Mapping[str, Any]) -> None:
        self._write(topics.RESIDENTS, "resident.told", data, self.n)

    def _write(self, topic: str, kind: str, data: Mapping[str, Any], sequence: int) -> None:
        """The id follows from the cause and from what this message is, so that a repeat carries the same one."""
        given = self.given
        ordinal = self.ordinals.get((kind, topic), 0)
        self.ordinals[kind, topic] = ordinal + 1
        id_ = derived_id(given.id, f"{given.inquiry_id}/{kind}/{topic}/{self.round}/{ordinal}")
        self.messages.append(Message(topic, given.inquiry_id, id_, PREFIX + kind, self.origin, as_json(data), sequence))


def _as_codes(returned: Mapping[str, Any], directory: Directory) -> dict[str, Any]:
    """A department may write anything as its reason; what everyone may read for ever is a code, or `other`."""
    reason, suggest = returned["reason"], returned.get("suggest")
    return {
        "reason": reason if REASON_CODE.fullmatch(reason) else "other",
        "suggest": suggest if suggest in directory.departments else None,
    }


# ── departments ──────────────────────────────────────────────────────────────

Addressed = tuple[str, str, dict[str, Any]]


def _offer(case: Case, fact: Fact, directory: Directory) -> Iterator[Addressed]:
    inquiry = case.inquiry or {}
    data: dict[str, Any] = {
        "part_id": fact.data["part_id"],
        "inquiry_id": case.inquiry_id,
        "role": fact.data["role"],
        "lead": case.lead,
        "co_handlers": case.co_handlers,
        "due": fact.data["due"],
        "why": fact.data["why"],
        "policy_id": directory.policy.id,
        "subject": inquiry.get("subject"),
        "body": inquiry.get("body"),
        "area": inquiry.get("area"),
        "channel": inquiry.get("channel"),
        "received_at": inquiry.get("received_at"),
    }
    if inquiry.get("contact") and not inquiry.get("confidential"):
        data["contact"] = inquiry["contact"]
    yield fact.data["department"], "part.offered", data


def _change(case: Case, fact: Fact, directory: Directory) -> Iterator[Addressed]:
    data = {"part_id": fact.data["part_id"], "inquiry_id": case.inquiry_id, "role": fact.data["role"]}
    data |= {
        "lead": case.lead,
        "co_handlers": case.co_handlers,
        "why": "承办单位变更 / who handles this inquiry has changed",
    }
    yield fact.data["department"], "part.changed", data


def _withdrawal(case: Case, fact: Fact, directory: Directory) -> Iterator[Addressed]:
    data = {"part_id": fact.data["part_id"], "inquiry_id": case.inquiry_id, "why": fact.data["why"]}
    yield fact.data["department"], "part.withdrawn", data


def _closing(case: Case, fact: Fact, directory: Directory) -> Iterator[Addressed]:
    for part in case.active_parts:
        yield part.department, "part.closed", {"part_id": part.id, "inquiry_id": case.inquiry_id, "round": case.round}


FOR_DEPARTMENTS: Mapping[str, Callable[[Case, Fact, Directory], Iterator[Addressed]]] = {
    "part.offered": _offer,
    "part.changed": _change,
    "part.withdrawn": _withdrawal,
    "inquiry.answered": _closing,
}


# ── the resident ─────────────────────────────────────────────────────────────

WHAT = {
    "inquiry.registered": "registered",
    "inquiry.triaged": "triage",
    "inquiry.assigned": "assigned",
    "inquiry.replied": "replied",
    "inquiry.answered": "answered",
    "inquiry.rated": "progressed",
    "part.accepted": "progressed",
    "part.contributed": "progressed",
    "part.returned": "progressed",
    "part.withdrawn": "progressed",
}


def _for_the_resident(
    case: Case, fact: Fact, what: str, picture: dict[str, Any], directory: Directory
) -> dict[str, Any]:
    inquiry = case.inquiry or {}
    return {
        "inquiry_id": case.inquiry_id,
        "what": what,
        "text": words.told(case, fact, picture, directory),
        "contact": inquiry.get("contact"),
        "public": bool(inquiry.get("public")) and not inquiry.get("confidential"),
        "case": picture | {"body": inquiry["body"]} if what == "answered" else picture,
    }


def _picture(case: Case, directory: Directory) -> dict[str, Any] | None:
    """The whole of the case that its resident may see; None before there is one."""
    inquiry = case.inquiry
    if inquiry is None:
        return None
    language = inquiry["language"]
    handlers = [
        {
            "code": part.department,
            "name": directory.name(part.department, language),
            "role": part.role,
            "state": part.state,
            "due_at": part.due["resolve"],
        }
        for part in case.active_parts
    ]
    reply = words.joint_reply(case, directory) if case.answered else None
    return {
        "state": case.state,
        "round": case.round,
        "subject": inquiry["subject"],
        "language": language,
        "departments": handlers,
        "reply": reply,
    }
