"""What a service answers to `chorus reconcile`: what its ledger holds, what it has seen, how far it has read.

No service reads another's database; the command asks each of them, and compares what they say.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, ConfigDict, Field

from shared.contracts.documented import Documented
from shared.http.identity import BEARER, operators_only
from shared.http.parameters import EventId, PageSize
from shared.http.problems import Problem, documented, shown
from shared.http.request_body import body_of, limited_body
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
    """An accepted input without its words; `overdue`: the relay should have published it long ago."""

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
    """Whether the input is not on Kafka although the relay should have published it."""
    erased: bool
    """Whether its inquiry is erased, so that it cannot be published again."""


class LedgerPage(Documented):
    """Entries by inquiry and n; `next` is what to pass as `after` for the following page."""

    entries: list[EntryShown]
    """Entries by ticket number and n."""
    next: str | None
    """What to pass as `after` for the following page; null on the last."""


class Published(Documented):
    """How many messages went out again, under the ids that they have."""

    messages: int
    """How many messages were published again, under their ids."""


class Behind(Documented):
    """By topic, how many records this service's groups have not committed; nothing when they are at the end."""

    behind: dict[str, int]
    """The number of records that this service's groups have not committed, by topic; empty when there are none."""


class IdsBody(Documented):
    """Ids of messages."""

    model_config = ConfigDict(extra="forbid")
    ids: Annotated[tuple[str, ...], Field(max_length=IDS_MAX)]
    """The ids of at most 1,000 messages."""


class Missing(Documented):
    """Those of the messages that are not here."""

    missing: list[str]
    """The ids of the messages that this service does not have."""


def routes(service: Service, token: bytes, *, relay: Relay | None = None, unseen: Unseen | None = None) -> APIRouter:
    """The routes of a service that has a ledger, or a view whose documents have the ids of the messages they come from."""
    api = APIRouter(
        tags=["reconciling"],
        dependencies=[Depends(BEARER), Depends(operators_only(token))],
        responses=documented(401, 422, 429, 503),
    )

    @api.get("/behind", summary="What this service's groups have not read yet")
    async def not_read(
        wait_s: Annotated[
            float, Query(ge=0, le=WAIT_MAX_S, description="Wait until all of it is read, at most so many seconds.")
        ] = 0,
    ) -> Behind:
        kafka = Connection.of(service.settings)
        reading = [one.options for one in service.subscriptions if one.options.group is not None and one.options.topics]
        lags = await asyncio.gather(
            *(wait_until_committed(kafka, str(one.group), one.topics, wait_s) for one in reading)
        )
        return Behind(behind={topic: count for lag in lags for topic, count in lag.items()})

    if unseen is not None:
        look = unseen

        @api.post("/missing", openapi_extra=body_of(IdsBody), responses=documented(413), summary="What is not here")
        async def missing(request: Request) -> Missing:
            given = IdsBody.model_validate_json(await limited_body(request))
            return Missing(missing=sorted(await look(given.ids)))

    if relay is not None:
        _ledger_routes(api, relay)
    return api


def _ledger_routes(api: APIRouter, relay: Relay) -> None:
    @api.get("/ledger", summary="What was accepted here, without words, page by page")
    async def page(
        after: Annotated[
            str, Query(max_length=100, description="Only what follows this: `next` of the page before.")
        ] = "",
        limit: PageSize = 100,
    ) -> LedgerPage:
        found = await entries(relay.ledger, *place_of(after), limit + 1)
        more = f"{found[limit - 1].inquiry_id}/{found[limit - 1].n}" if len(found) > limit else None
        return LedgerPage(entries=found[:limit], next=more)

    @api.post(
        "/ledger/{event_id}/publish", responses=documented(404, 409), summary="Publish an entry again, under its id"
    )
    async def publish(event_id: EventId) -> Published:
        return Published(messages=await publish_again(relay, event_id))


def place_of(after: str) -> tuple[str, int]:
    """`<inquiry_id>/<n>` as a place in the order of inquiries; without a number it is before the inquiry's first.

    Raises Problem 422 for a number that none can have.
    """
    inquiry_id, _, n = after.partition("/")
    if n.isdecimal() and len(n) > N_DIGITS:
        raise Problem(422, f"after {shown(after)} has too many digits; write one like 20260316-7KQ2M9XD/3.")
    return inquiry_id, int(n) if n.isdecimal() else -1


async def entries(ledger: Ledger, inquiry_id: str, n: int, limit: int) -> list[EntryShown]:
    """The entries after that place. What is in no note is on Kafka, so the notes are looked at last."""
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
    """Publish an entry as it is stored, after those of its inquiry that must come first.

    Raises Problem: 404 when there is none, 409 when it is erased.
    """
    entry = await relay.ledger.entries.find_one({"_id": event_id})
    if entry is None:
        raise Problem(404, f"There is no entry {shown(event_id)} in this ledger.")
    if erased(entry):
        raise Problem(409, f"The entry {shown(event_id)} is erased with its inquiry; nothing is left to publish.")
    messages = [message_of(one) for one in (*await relay.unpublished_before([entry]), entry) if not erased(one)]
    await relay.publisher.publish(messages)
    await relay.ledger.unpublished.update_many({"entries": event_id}, {"$pullAll": {"entries": [event_id]}})
    return len(messages)
