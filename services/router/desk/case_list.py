"""Keeps the desk's list of cases up to date from `inquiries.events`, and measures open parts and parked inquiries."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.router.domain.case import Case
from services.router.domain.due_parts import running_clocks
from services.router.domain.part import OPEN
from services.router.domain.waiting import waiting_in
from services.router.stores.case_rows import place_of
from services.router.stores.fences import fence_of
from services.router.stores.store import RouterStore
from services.router.stores.worklist import NOT_DUE, OpenPart
from shared.contracts.envelope import PREFIX
from shared.contracts.facts import EVENT_TYPES
from shared.events.case_events import InquiryErasedEvent, InquiryLinkedEvent
from shared.kafka.records import Record
from shared.runtime import metrics, timestamps
from shared.service.event_decoders import read_event
from shared.store.mongo import Document

MEASURE_EVERY_S = 15.0
HALL_REPORTED = PREFIX + "hall.reported"
HALL_DECIDED = tuple(PREFIX + name for name in ("hall.published", "hall.hidden", "hall.redacted"))
ERASED_THROUGH, LINKED_TO = "erased_through", "linked_to"
"""What a row may say besides its fields: through which decision the case is erased, and to which case it is linked."""
UNRATED = {
    PREFIX + "inquiry.answered": True,
    PREFIX + "inquiry.rated": False,
    PREFIX + "inquiry.rating-reminded": False,
    PREFIX + "inquiry.reopened": False,
    PREFIX + "inquiry.closed": False,
}
"""Whether the answer of a case waits for the reminder to rate it, after each of these events."""
SEARCHED_AFTER = timedelta(seconds=2)
"""A case has several events in a moment; the search index takes them together."""


@dataclass
class CaseList:
    """Updates rows; `erasure.py` has the handler of the group `router-cases`."""

    store: RouterStore
    now: Callable[[], datetime] = timestamps.now

    async def follow(self, batch: Sequence[Document]) -> None:
        """Update the row of each case to its newest event, and its open parts. Safe to repeat: an older event changes nothing."""
        rows: dict[str, Document] = {}
        for row in sorted(batch, key=lambda one: int(one["sequence"])):
            shown = {name: value for name, value in row.items() if name not in (ERASED_THROUGH, LINKED_TO)}
            rows[row["_id"]] = rows.get(row["_id"], {}) | shown
        cases = await self._cases(rows)
        await self.store.cases.show([row | fields_of(cases.get(id_), row) for id_, row in rows.items()])
        for row in batch:
            if LINKED_TO in row:
                await self.store.cases.link(row["_id"], row[LINKED_TO])
        await self.store.worklist.show({id_: open_parts(case) for id_, case in cases.items()})
        await self.store.search.mark(rows.keys(), self.now() + SEARCHED_AFTER)

    async def _cases(self, rows: Mapping[str, Document]) -> dict[str, Case]:
        """The cases as of these events or later: from the cache of the core, if it has them. A restored store may lack some."""
        cases = await self.store.decisions.load(rows)
        older = [id_ for id_, case in cases.items() if case.sequence < rows[id_]["sequence"]]
        if older:
            cases |= await self.store.decisions.reload(older)
        return {id_: case for id_, case in cases.items() if case.sequence >= rows[id_]["sequence"]}

    async def measure(self) -> None:
        """Set the gauges of open parts by state and of parked inquiries every MEASURE_EVERY_S. Runs forever."""
        while True:
            for state, count in (await self.store.cases.open_parts()).items():
                metrics.PARTS_OPEN.labels(state).set(count)
            metrics.PARKED.set(len(await self.store.parked.inquiries()))
            await asyncio.sleep(MEASURE_EVERY_S)


def fields_of(case: Case | None, row: Document) -> Document:
    """The fields of a row that come from the decisions; without them, only the place that the events give."""
    if case is None:
        return _placed(row["_id"], row["received_at"]) if "received_at" in row else {}
    parts = [_part(case, part_id) for part_id in case.parts]
    received_at = case.inquiry.received_at if case.inquiry is not None else None
    due = [one["due_at"] for one in parts if one["due_at"] is not None]
    return {
        **_placed(case.inquiry_id, received_at),
        "lead": case.lead,
        "parts": parts,
        "due_at": min(due, default=None),
        "waits": waiting_in(case),
    }


def _placed(inquiry_id: str, received_at: str | None) -> Document:
    place = place_of(inquiry_id, received_at)
    return {"place": place, **fence_of(inquiry_id, place)}


def _part(case: Case, part_id: str) -> Document:
    part = case.parts[part_id]
    clock = next(iter(running_clocks(case, part)), None)
    return {
        "part_id": part.id,
        "department": part.department,
        "state": part.state,
        "due_at": clock.due_at if clock is not None else None,
        "reminded": clock is not None and clock.reminded,
    }


def open_parts(case: Case) -> list[OpenPart]:
    """The open parts of a case for the worklists of their departments."""
    found = []
    for part in case.parts.values():
        if part.state in OPEN:
            running = running_clocks(case, part)
            due_at = running[0].due_at if running else NOT_DUE
            found.append(OpenPart(part.id, case.inquiry_id, part.department, due_at))
    return found


def read_row(record: Record) -> Document:
    """The fields of a case's row that an event sets. Raises InvalidRecord. Counts events of unknown types."""
    event = read_event(record)
    if event.type not in EVENT_TYPES:
        metrics.UNKNOWN_TYPES.labels("router").inc()
    fields = ("state", "departments", "part_states", "channel", "received_at", "area")
    row = {name: event.data[name] for name in fields if name in event.data}
    if event.type == HALL_REPORTED:
        row["reported_at"] = timestamps.to_text(event.at)
    elif event.type in HALL_DECIDED and not event.data.get("automatic"):
        row["reported_at"] = None
    elif isinstance(event.body, InquiryErasedEvent):
        row[ERASED_THROUGH] = event.body.through
    elif isinstance(event.body, InquiryLinkedEvent):
        row[LINKED_TO] = event.body.linked_to
    if event.type in UNRATED:
        row["unrated"] = UNRATED[event.type]
    return row | {"_id": event.inquiry_id, "sequence": event.sequence, "updated_at": timestamps.to_text(event.at)}
