"""The desk: what operators do. Commands go onto the log of their case; the city goes out as one record a revision."""

import asyncio
import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from services.router.domain.decision import SOURCE, Decision, case_of
from services.router.domain.directory import Directory
from services.router.sent import contradictory
from services.router.store import Store
from shared import clock, ids, topics
from shared.cityfeed import CityFeed
from shared.connection import Connection
from shared.directory import CITY_BYTES_MAX, City, CityError, Department, merge, put_department
from shared.events import CaseAssign, CaseReplay, CaseWithdrawPart, Message, Origin, Payload
from shared.ledger import Entry, Ledger
from shared.problems import FieldProblem, Problem, invalid, shown
from shared.provision import make_topics
from shared.publishing import Publisher
from shared.settings import Settings
from shared.topics import department_topics, system_topics

COMMANDS: Mapping[str, type[Payload]] = {
    model.type.removeprefix("chorus.case."): model for model in (CaseAssign, CaseReplay, CaseWithdrawPart)
}
CITY_EVERY_S = 5.0
TOPICS_EVERY = 12


class Accepted(BaseModel):
    """What a door answers: ask for this id to learn what became of it."""

    event_id: str


class Desk:
    """What the desk's routes do."""

    def __init__(
        self, store: Store, publisher: Publisher, city: CityFeed[Directory], commands: Ledger, settings: Settings
    ) -> None:
        self.store = store
        self.publisher = publisher
        self.city = city
        self.commands = commands
        self.settings = settings

    # ── commands ─────────────────────────────────────────────────────────────

    async def command(self, inquiry_id: str, body: bytes, key: str | None) -> Accepted:
        """Take a command for a case into the ledger; safe to repeat with the same idempotency key."""
        given = await self._valid(inquiry_id, body)
        id_ = ids.named_id(f"command/{inquiry_id}/{key}") if key else ids.new_event_id()
        return Accepted(event_id=await self.enter(inquiry_id, given, id_))

    async def enter(self, inquiry_id: str, given: Payload, id_: str) -> str:
        """Write a command that is right into the ledger; returns its id. Raises Problem when the id is another's."""
        value = given.model_dump_json()
        while True:
            entry = Entry(
                id=id_,
                inquiry_id=inquiry_id,
                n=len(await self.commands.of(inquiry_id)),
                type=given.type,
                recorded_at=clock.now(),
                value=value,
                fingerprint=ids.digest(value.encode()),
                source="chorus/desk",
            )
            written = await self.commands.accept(entry)
            if written.earlier and written.earlier["fingerprint"] != entry.fingerprint:
                raise Problem(422, "This Idempotency-Key was used for another command; use a key of its own.")
            if written.new or written.earlier:
                return id_

    async def _valid(self, inquiry_id: str, body: bytes) -> Payload:
        if not await self.store.known([inquiry_id]) and not await self.store.parked_of([inquiry_id]):
            raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")
        try:
            given = from_json(body)
        except ValueError as error:
            raise Problem(422, "The body is not JSON; write an object with a type.") from error
        kind = given.get("type") if isinstance(given, dict) else None
        if not isinstance(kind, str) or kind not in COMMANDS:
            detail = f"type {shown(kind)} is no command; write one of {', '.join(sorted(COMMANDS))}"
            raise Problem(422, detail + ".", [FieldProblem(pointer="/type", detail=detail)])
        try:
            return COMMANDS[kind].model_validate(given | {"inquiry_id": inquiry_id, "by": "operator"})
        except ValidationError as error:
            raise invalid(error) from error

    async def command_status(self, event_id: str) -> dict[str, Any]:
        """What became of a command: pending, applied or refused, with the reason."""
        entry = await self.commands.entries.find_one({"_id": event_id})
        if entry is None:
            raise Problem(404, f"There is no command {shown(event_id)}.")
        for decision in await self.store.decisions_of(entry["inquiry_id"]):
            if decision.cause == event_id:
                refusal = decision.refusal
                status = {"status": "refused" if refusal else "applied", "inquiry_id": decision.inquiry_id}
                return status | ({"reason": f"{refusal.reason} {refusal.remedy}"} if refusal else {})
        return {"status": "pending", "inquiry_id": entry["inquiry_id"]}

    # ── cases ────────────────────────────────────────────────────────────────

    async def page(self, state: str | None, department: str | None, after: str | None, limit: int) -> dict[str, Any]:
        """One page of cases, by inquiry id; `next` is what to pass as `after` for the following one."""
        query: dict[str, Any] = {}
        if state:
            query["state"] = state
        if department:
            query["departments"] = department
        if after:
            query["_id"] = {"$gt": after}
        rows = await self.store.cases_page(query, limit + 1)
        first = await self.store.decisions_at([(row["_id"], 1) for row in rows])
        subjects = {one.inquiry_id: fact.data["subject"] for one in first for fact in one.facts[:1]}
        cases = [
            {name: value for name, value in row.items() if name != "_id"}
            | {"inquiry_id": row["_id"], "subject": subjects.get(row["_id"])}
            for row in rows[:limit]
        ]
        return {"cases": cases, "next": cases[-1]["inquiry_id"] if len(rows) > limit else None}

    async def case(self, inquiry_id: str) -> dict[str, Any]:
        """A case with its parts, its facts and the events that everyone may read."""
        decisions = await self.store.decisions_of(inquiry_id)
        if not decisions:
            raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")
        # Not as this process remembers it: another may have decided since.
        case = case_of(inquiry_id, decisions)
        return {
            "inquiry_id": inquiry_id,
            "state": case.state,
            "round": case.round,
            "inquiry": case.inquiry,
            "lead": case.lead,
            "co_handlers": case.co_handlers,
            "parts": [
                {
                    "part_id": p.id,
                    "department": p.department,
                    "role": p.role,
                    "state": p.state,
                    "due": p.due,
                    "text": p.text,
                }
                for p in case.parts.values()
            ],
            "timeline": [line for one in decisions for line in timeline(one)],
            "decisions": [summary(one) for one in decisions],
        }

    # ── the city ─────────────────────────────────────────────────────────────

    async def apply(self, applied: City) -> City:
        """Take a whole city: rules and policies are replaced, departments added and updated, none removed."""
        return await self.revise(lambda current: merge(current, applied), applied)

    async def put_department(self, department: Department) -> City:
        """Add a department, or update it."""

        def change(current: City | None) -> City:
            if current is None:
                raise Problem(409, "No city has been applied yet; apply one first.")
            return put_department(current, department)

        return await self.revise(change, department)

    async def revise(self, change: Callable[[City | None], City], sent: City | Department | None = None) -> City:
        """The next revision, unless nothing changes: topics first, then the record, then the word to everyone."""
        while True:
            current = await self.store.latest_city()
            try:
                changed = change(current)
            except CityError as error:
                raise contradictory(error, current, sent) from error
            if current is not None and changed.model_copy(update={"revision": current.revision}) == current:
                await self._provision(current)
                return current
            newest = max(current.revision if current else 0, self.city.city.revision if self.city.city else 0)
            revised = changed.model_copy(update={"revision": newest + 1})
            if (size := len(revised.model_dump_json().encode())) > CITY_BYTES_MAX:
                raise Problem(422, f"The city has {size} bytes; at most {CITY_BYTES_MAX} fit into one revision.")
            await self._provision(revised)
            if await self.store.add_revision(revised):
                await self._publish(revised)
                return revised

    async def _provision(self, city: City) -> None:
        codes = [department.code for department in city.departments]
        days = self.settings.retention_days
        wanted = (*system_topics(self.settings.partitions, days), *department_topics(codes, days))
        await make_topics(Connection.of(self.settings), wanted, self.settings.replication)

    async def _publish(self, city: City) -> None:
        revised = Message(
            topic=topics.CITY,
            key="city",
            id=ids.named_id(f"city/{city.revision}"),
            type="chorus.city.revised",
            origin=Origin(SOURCE, "city", clock.to_text(clock.now())),
            value=city.model_dump_json().encode(),
            sequence=city.revision,
        )
        await self.publisher.publish([revised])

    async def keep_city_published(self) -> None:
        """Publish a revision that was stored but, after a crash, never told; run it for ever.

        Now and then topics that somebody has removed are made again: a missing inbox would hold everybody up.
        """
        for turn in count():
            latest = await self.store.latest_city()
            if latest is not None and turn % TOPICS_EVERY == 0:
                await self._provision(latest)
            known = self.city.city.revision if self.city.city else 0
            if latest is not None and latest.revision > known:
                await self._provision(latest)
                await self._publish(latest)
            await asyncio.sleep(CITY_EVERY_S)


def timeline(decision: Decision) -> list[dict[str, Any]]:
    """The events of a decision as everyone may read them."""
    return [
        {
            "sequence": message.sequence,
            "at": message.origin.recorded_at,
            "type": message.type,
            "id": message.id,
            "data": json.loads(message.value),
        }
        for message in decision.messages
        if message.topic == topics.EVENTS
    ]


def summary(decision: Decision) -> dict[str, Any]:
    """A decision without its messages' words."""
    document = decision.document()
    said = [{name: message[name] for name in ("topic", "type", "id")} for message in document["messages"]]
    return {name: value for name, value in document.items() if name not in ("_id", "v")} | {"messages": said}
