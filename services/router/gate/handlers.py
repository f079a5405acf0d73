"""Handles batches from departments' outboxes: turns each message into an input, or into a refusal and a dead letter."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Refusal
from services.router.files.case_files import CaseFiles, refused_files
from services.router.gate.outbox_decoder import VALUE_MAX, OutboxRecord
from services.router.stores.store import RouterStore
from shared.contracts import ids
from shared.contracts.commitments import new_salt
from shared.contracts.department_inbox import MessageRefused
from shared.contracts.envelope import Message, Origin
from shared.contracts.sources import DEPARTMENT, DEPARTMENT_SOURCE, ROUTER_SOURCE
from shared.kafka import topics
from shared.kafka.dead_letters import dead_letter
from shared.kafka.publisher import PreparedRecord, Publishable
from shared.runtime import metrics, timestamps
from shared.runtime.logging import log
from shared.service.city_feed import CityFeed

DEAD_LETTER_MAX = VALUE_MAX + 65_536
"""A larger record was compressed, and the outbox keeps it so; a decompressed copy would only fill the disk."""


@dataclass
class Gate:
    """The handler of the group `router-gate`."""

    store: RouterStore
    city: CityFeed[CityIndex]
    files: CaseFiles | None = None

    async def let_in(self, batch: Sequence[OutboxRecord]) -> list[Publishable]:
        """The inputs, refusals and dead letters of a batch.

        Safe to repeat: the ids of inputs and refusals are derived from the records.
        """
        known = await self.store.decisions.known(one.inquiry_id for one in batch if one.inquiry_id)
        members = self.city.current().departments.keys()
        checked = [await self._with_files(checked_against(known, members, knock)) for knock in batch]
        outputs: list[Publishable] = []
        for one in checked:
            if one.department in members:
                outputs.append(refusal(one) if one.refusal else stamped(one))
            if one.refusal:
                letter = dead_letter("router", one.record, "permanent", one.refusal.reason, 1, DEAD_LETTER_MAX)
                outputs.append(PreparedRecord(topics.dead_letters("router"), letter))
                metrics.DEAD_LETTERS.labels("router", "permanent").inc()
                log.info("refused", inquiry_id=one.inquiry_id, department=one.department, place=one.record.place)
        log.info("let in", records=sum(one.refusal is None for one in checked))
        return outputs

    async def _with_files(self, knock: OutboxRecord) -> OutboxRecord:
        """The record, refused when it refers to files that its department did not send for this part."""
        if knock.refusal is not None or knock.message is None:
            return knock
        refused = await refused_files(self.files, knock.message, knock.department)
        if refused is None:
            return knock
        return replace(knock, refusal=Refusal(refused.code, f"{refused.reason}.", refused.remedy))


def checked_against(known: Set[str], members: Set[str], knock: OutboxRecord) -> OutboxRecord:
    """The record, refused when its department is not in the directory or its inquiry has no decision yet."""
    if knock.department not in members:
        refusal = Refusal("unknown-department", f"{knock.department!r} is not in the directory.", "Add the department.")
        return replace(knock, refusal=refusal)
    if knock.refusal is None and knock.inquiry_id not in known:
        reason = f"There is no inquiry {knock.inquiry_id!r}."
        return replace(knock, refusal=Refusal("no-inquiry", reason, "Use the part_id of a part.offered in your inbox."))
    return knock


def stamped(knock: OutboxRecord) -> Message:
    """The input for a department's message. The id comes from the record, the time from the broker, the sender from the
    topic.

    A repeat makes the same input with another salt; the core uses the salt of the first copy on the log.
    """
    assert knock.message is not None
    assert knock.inquiry_id is not None
    source = DEPARTMENT_SOURCE + knock.department
    salt = new_salt().hex()
    origin = Origin(source, knock.inquiry_id, recorded_at(knock), knock.origin, knock.digest, DEPARTMENT, salt)
    value = knock.message.model_dump_json().encode()
    return Message(topics.INPUTS, knock.inquiry_id, knock.id, knock.message.type, origin, value)


def refusal(knock: OutboxRecord) -> Message:
    """The `message.refused` for the department's inbox."""
    assert knock.refusal is not None
    told = MessageRefused(cause=knock.origin, reason=knock.refusal.reason, remedy=knock.refusal.remedy)
    return Message(
        topic=topics.inbox(knock.department),
        key=knock.department,
        id=ids.derived_id(knock.id, f"{MessageRefused.type}/{knock.digest}"),
        type=MessageRefused.type,
        origin=Origin(ROUTER_SOURCE, knock.inquiry_id or knock.department, recorded_at(knock), knock.id),
        value=told.model_dump_json().encode(),
        sequence=0,
    )


def recorded_at(knock: OutboxRecord) -> str:
    """The broker's timestamp of the record (RFC 3339, UTC), which a department cannot choose."""
    return timestamps.to_text(timestamps.from_ms(knock.record.timestamp_ms))
