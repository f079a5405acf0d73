"""All messages that follow from one decision, in order, with their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input, Refusal
from services.router.domain.outputs.case_events import PUBLIC_FIELDS, return_codes
from services.router.domain.outputs.inboxes import FOR_DEPARTMENTS
from services.router.domain.outputs.resident import WHAT, picture_of, resident_message
from shared.contracts.envelope import PREFIX, Message, Origin, as_json
from shared.contracts.facts import Fact
from shared.contracts.ids import derived_id
from shared.contracts.sources import ROUTER_SOURCE
from shared.kafka import topics


def messages(
    before: Case, case: Case, given: Input, facts: Sequence[Fact], refusal: Refusal | None, directory: CityIndex
) -> tuple[tuple[Message, ...], int]:
    """Every message that follows from a decision, in order, and the sequence of the case's last event.

    `case` is the one after the facts: all of them are told as things stand when the last of them is true.
    """
    write = _Writer(case, given, before.n + 1, before.sequence)
    picture = picture_of(case, directory)
    for fact in facts:
        write.event(fact, directory)
        if (tell := FOR_DEPARTMENTS.get(fact.type)) is not None:
            for department, kind, data in tell(case, fact, directory):
                write.inbox(department, kind, data)
        if picture is not None and (what := WHAT.get(fact.type)) is not None:
            write.resident(resident_message(case, fact, what, picture, directory))
    if refusal is not None and given.department is not None:
        data = {"cause": given.origin or given.id, "reason": refusal.reason, "remedy": refusal.remedy}
        write.inbox(given.department, "message.refused", data)
    return tuple(write.messages), write.sequence


class _Writer:
    """Addresses, numbers and serialises what follows from one decision, the n-th."""

    def __init__(self, case: Case, given: Input, n: int, sequence: int) -> None:
        self.given = given
        self.n = n
        self.origin = Origin(ROUTER_SOURCE, given.inquiry_id, given.recorded_at, given.id)
        states = [part.state for part in case.parts.values()]
        departments = [part.department for part in case.active_parts]
        part_states = {state: states.count(state) for state in sorted(set(states))}
        self.standing = {"state": case.state, "departments": departments, "part_states": part_states}
        self.round = case.round
        self.sequence = sequence
        self.ordinals: dict[tuple[str, str], int] = {}
        self.messages: list[Message] = []

    def event(self, fact: Fact, directory: CityIndex) -> None:
        fields = PUBLIC_FIELDS.get(fact.type)
        if fields is None:
            return
        self.sequence += 1
        say = fact.data.get
        data = {"inquiry_id": self.given.inquiry_id, **{name: say(name) for name in fields}, **self.standing}
        if fact.type == "part.returned":
            data |= return_codes(fact.data, directory)
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
