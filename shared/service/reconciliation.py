"""The routes for `chorus reconcile`: a service's ledger, the messages that it lacks, and its consumer lag.

No service reads another's database: the command asks each of them and compares their answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, ConfigDict, Field

from shared.contracts.documented import Documented
from shared.http.parameters import EventId, PageSize
from shared.http.problems import Problem, documented, shown
from shared.http.protected import Check, protected_routes
from shared.http.query_fields import unknown_place
from shared.http.request_body import body_of, limited_body, parsed
from shared.kafka.connection import Connection
from shared.kafka.topic_reader import wait_until_committed
from shared.ledger.ledger import LEASE_S, Ledger
from shared.ledger.relay import Relay, erased, message_of
from shared.runtime import timestamps
from shared.service.service import Service
from shared.store.mongo import ASCENDING, Document

IDS_MAX = 1_000
WAIT_MAX_S = 20
OVERDUE_S = 6 * LEASE_S
N_DIGITS = 9
Unseen = Callable[[Sequence[str]], Awaitable[set[str]]]


class EntryShown(Documented):
    """An accepted input, without its text."""

    event_id: str
    """The id of the input."""
    inquiry_id: str
    """The ticket number."""
    n: int
    """The number of the entry within its inquiry, counted from 0."""
    type: str
    """The type of the input, such as `chorus.inquiry.received`."""
    at: AwareDatetime
    """When the ledger recorded the input."""
    published: bool
    """Whether the input is on Kafka."""
    overdue: bool
    """Whether the input is not on Kafka, 30 s after the ledger recorded it."""
    erased: bool
    """Whether the inquiry is erased, so that the input cannot be published again."""


class LedgerPage(Documented):
    """A page of the ledger."""

    entries: list[EntryShown]
    """Entries in the order of ticket number and `n`."""
    next: str | None
    """The value of `after` for the next page; null on the last page."""


class Published(Documented):
    """The result of publishing an entry again."""

    messages: int
    """How many messages were published again, with the same ids."""


class Behind(Documented):
    """The consumer lag of a service."""

    behind: dict[str, int]
    """The number of records that the service's consumer groups have not committed, by topic; empty when there are none."""


class IdsBody(Documented):
    """Ids of messages."""

    model_config = ConfigDict(extra="forbid")
    ids: Annotated[tuple[str, ...], Field(max_length=IDS_MAX)]
    """The ids of at most 1,000 messages."""


class Missing(Documented):
    """The messages that the service does not have."""

    missing: list[str]
    """The ids of the messages that this service does not have."""


def routes(service: Service, check: Check, *, relay: Relay | None = None, unseen: Unseen | None = None) -> APIRouter:
    """The routes of a service. `check` refuses requests without a right token. `relay`: the service has a ledger.
    `unseen`: returns the message ids that its view does not have.
    """
    api = protected_routes("reconciling", check, 401, 403, 422, 429, 503)

    @api.get("/behind", summary="The consumer lag of this service")
    async def behind(
        wait_s: Annotated[
            float, Query(ge=0, le=WAIT_MAX_S, description="Wait at most this many seconds until there is no lag.")
        ] = 0,
    ) -> Behind:
        kafka = Connection.of(service.settings)
        groups = [one.options for one in service.subscriptions if one.options.group is not None and one.options.topics]
        lags = await asyncio.gather(
            *(wait_until_committed(kafka, str(one.group), one.topics, wait_s) for one in groups)
        )
        return Behind(behind={topic: count for lag in lags for topic, count in lag.items()})

    if unseen is not None:
        find_unseen = unseen

        @api.post(
            "/missing", openapi_extra=body_of(IdsBody), responses=documented(413), summary="The messages it lacks"
        )
        async def missing(request: Request) -> Missing:
            given = parsed(IdsBody, await limited_body(request))
            return Missing(missing=sorted(await find_unseen(given.ids)))

    if relay is not None:
        _ledger_routes(api, relay)
    return api


def _ledger_routes(api: APIRouter, relay: Relay) -> None:
    @api.get("/ledger", responses=documented(404), summary="The accepted inputs, without their text")
    async def page(
        after: Annotated[
            str, Query(max_length=100, description="Continue after this place: `next` of the previous page.")
        ] = "",
        limit: PageSize = 100,
    ) -> LedgerPage:
        inquiry_id, n = place_of(after)
        place = {"inquiry_id": inquiry_id, "n": max(n, 0)}
        if after and not (is_place(after, inquiry_id, n) and await relay.ledger.entries.find_one(place, ["_id"])):
            raise unknown_place(after)
        found = await entries(relay.ledger, inquiry_id, n, limit + 1)
        next_after = f"{found[limit - 1].inquiry_id}/{found[limit - 1].n}" if len(found) > limit else None
        return LedgerPage(entries=found[:limit], next=next_after)

    @api.post(
        "/ledger/{event_id}/publish", responses=documented(404, 409), summary="Publish an entry again, with the same id"
    )
    async def publish(event_id: EventId) -> Published:
        return Published(messages=await publish_again(relay, event_id))


def place_of(after: str) -> tuple[str, int]:
    """Parse `<inquiry_id>/<n>`; without a number, the place is before the inquiry's first entry.

    Raises Problem 422 for a number with too many digits.
    """
    inquiry_id, _, n = after.partition("/")
    if n.isdecimal() and len(n) > N_DIGITS:
        raise Problem(422, f"after {shown(after)} has too many digits; write a place such as 20260316-7KQ2M9XD/3.")
    return inquiry_id, int(n) if n.isdecimal() else -1


def is_place(after: str, inquiry_id: str, n: int) -> bool:
    """Whether `place_of` has read all of `after`."""
    return after == (inquiry_id if n < 0 else f"{inquiry_id}/{n}")


async def entries(ledger: Ledger, inquiry_id: str, n: int, limit: int) -> list[EntryShown]:
    """The entries after that place. Entries without a note are on Kafka, so the notes are read after the entries."""
    about = {"inquiry_id": 1, "n": 1, "type": 1, "recorded_at": 1, "fingerprint": 1}
    order = [("inquiry_id", ASCENDING), ("n", ASCENDING)]
    found: list[Document] = []
    for query in ({"inquiry_id": inquiry_id, "n": {"$gt": n}}, {"inquiry_id": {"$gt": inquiry_id}}):
        if len(found) < limit:
            found += await ledger.entries.find(query, about).sort(order).to_list(limit - len(found))
    notes = await ledger.unpublished.find({}, {"entries": 1}).to_list(None)
    noted = {id_ for note in notes for id_ in note["entries"]}
    late = timestamps.now() - timedelta(seconds=OVERDUE_S)
    return [_shown(one, one["_id"] not in noted, late) for one in found]


def _shown(entry: Document, published: bool, late: datetime) -> EntryShown:
    return EntryShown(
        event_id=entry["_id"],
        inquiry_id=entry["inquiry_id"],
        n=entry["n"],
        type=entry["type"],
        at=entry["recorded_at"],
        published=published,
        overdue=not published and entry["recorded_at"] < late,
        erased="fingerprint" not in entry,
    )


async def publish_again(relay: Relay, event_id: str) -> int:
    """Publish a stored entry, after the unpublished earlier entries of its inquiry; returns the number of messages.

    Raises Problem 404 for an unknown id, 409 when the entry is erased. Safe to repeat: the ids stay the same.
    """
    entry = await relay.ledger.entries.find_one({"_id": event_id})
    if entry is None:
        raise Problem(404, f"This ledger has no entry {shown(event_id)}; `GET /ledger` lists the ids.")
    if erased(entry):
        raise Problem(409, f"The inquiry of entry {shown(event_id)} is erased, so it cannot be published.")
    messages = [message_of(one) for one in (*await relay.unpublished_before([entry]), entry) if not erased(one)]
    await relay.publisher.publish(messages)
    await relay.ledger.unpublished.update_many({"entries": event_id}, {"$pullAll": {"entries": [event_id]}})
    return len(messages)
