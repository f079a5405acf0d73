"""All messages that follow from one decision, in order, with their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input, Refusal
from services.router.domain.facts import Fact, type_of
from services.router.domain.outputs.case_events import case_event, standing
from services.router.domain.outputs.inboxes import INBOXES
from services.router.domain.outputs.resident import ToldFields, picture_of, resident_message
from shared.contracts.envelope import PREFIX, Message, Origin, as_json
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
    now, picture = standing(case), picture_of(case, directory)
    for fact in facts:
        if (event := case_event(given.inquiry_id, fact, now, directory)) is not None:
            write.event(type_of(fact), event)
        if (tell := INBOXES.get(type(fact))) is not None:
            for one in tell(case, fact, directory):
                write.inbox(one.department, one.type, one.fields)
        if picture is not None and (told := resident_message(case, fact, picture, directory)) is not None:
            write.resident(told)
    if refusal is not None and given.department is not None:
        refused = {"cause": given.origin or given.id, "reason": refusal.reason, "remedy": refusal.remedy}
        write.inbox(given.department, "message.refused", refused)
    return tuple(write.messages), write.sequence


class _Writer:
    """Addresses, numbers and serialises what follows from one decision, the n-th."""

    def __init__(self, case: Case, given: Input, n: int, sequence: int) -> None:
        self.given = given
        self.n = n
        self.origin = Origin(ROUTER_SOURCE, given.inquiry_id, given.recorded_at, given.id)
        self.round = case.round
        self.sequence = sequence
        self.ordinals: dict[tuple[str, str], int] = {}
        self.messages: list[Message] = []

    def event(self, name: str, event: Mapping[str, object]) -> None:
        self.sequence += 1
        self._write(topics.EVENTS, name, event, self.sequence)

    def inbox(self, department: str, kind: str, fields: Mapping[str, object]) -> None:
        self._write(topics.inbox(department), kind, fields, self.n)

    def resident(self, told: ToldFields) -> None:
        self._write(topics.RESIDENTS, "resident.told", told, self.n)

    def _write(self, topic: str, kind: str, fields: Mapping[str, object], sequence: int) -> None:
        """The id follows from the cause and from what this message is, so that a repeat carries the same one."""
        given = self.given
        ordinal = self.ordinals.get((kind, topic), 0)
        self.ordinals[kind, topic] = ordinal + 1
        id_ = derived_id(given.id, f"{given.inquiry_id}/{kind}/{topic}/{self.round}/{ordinal}")
        self.messages.append(
            Message(topic, given.inquiry_id, id_, PREFIX + kind, self.origin, as_json(fields), sequence)
        )
