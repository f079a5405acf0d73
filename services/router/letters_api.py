"""The desk's routes for dead letters; all of them want the operator's token."""

import re
from base64 import b64encode
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.router.replaying import Order, Outcome, Replaying
from shared.http.identity import BEARER, operators_only
from shared.http.problems import Problem, documented, shown
from shared.http.request_body import body_of, limited_body
from shared.kafka.records import Record
from shared.kafka.topic_reader import topic_reader
from shared.store.mongo import Document

IDS_MAX = 200
Status = Literal["open", "replayed", "discarded", "expired"]
By = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[str, Field(min_length=1, max_length=2_000)]


class ReplayBody(BaseModel):
    """What `POST /dead-letters/{id}/replay` takes; `anyway`: also what was replayed or discarded before."""

    model_config = ConfigDict(extra="forbid")
    by: By = "operator"
    anyway: bool = False


class ReplaysBody(ReplayBody):
    """What `POST /replays` takes; `dry_run`: say what would be done, and do nothing."""

    ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=IDS_MAX)]
    dry_run: bool = False


class DiscardBody(BaseModel):
    """What `POST /dead-letters/{id}/discard` takes."""

    model_config = ConfigDict(extra="forbid")
    why: Words
    by: By


class Said(BaseModel):
    """What somebody decided of a letter."""

    what: Literal["replayed", "discarded"]
    at: str
    by: str
    why: str | None = None
    event_id: str | None = None


class LetterRow(BaseModel):
    """A dead letter without anybody's words: values that its reason quotes are left out."""

    id: str
    service: str
    at: datetime
    topic: str | None
    partition: int | None
    offset: int | None
    kind: str
    reason: str
    attempts: int
    type: str | None
    event_id: str | None
    inquiry_id: str | None
    copies: list[str]
    status: Status


class LetterPage(BaseModel):
    """Letters, oldest first; `next` is what to pass as `after`; `unread`: so many are not in the list yet."""

    letters: list[LetterRow]
    next: str | None
    unread: int


class Content(BaseModel):
    """Bytes: as text where they are UTF-8, else as base64."""

    text: str | None = None
    base64: str | None = None


class HeaderShown(Content):
    """One header; neither text nor base64 when it is null."""

    name: str


class LetterShown(LetterRow):
    """Everything about a dead letter; `found` is false when it is not in its topic any more."""

    history: list[Said]
    found: bool
    key: Content | None
    value: Content | None
    headers: list[HeaderShown]


class Discarded(LetterRow):
    """A letter that was discarded; `holds` is its inquiry where that waits for a replay of others still."""

    history: list[Said]
    holds: str | None


class Outcomes(BaseModel):
    """What became of each letter."""

    outcomes: list[Outcome]


def routes(replaying: Replaying, token: bytes) -> APIRouter:
    """Every route for dead letters."""
    api = APIRouter(
        tags=["dead letters"],
        dependencies=[Depends(BEARER), Depends(operators_only(token))],
        responses=documented(401, 422, 429, 503),
    )
    letters = replaying.letters

    @api.get("/dead-letters", summary="Dead letters of all services, oldest first, page by page")
    async def page(
        service: Annotated[str | None, Query(description="intake, router, notifier or scorer")] = None,
        reason: Annotated[str | None, Query(max_length=200, description="the kind, or words of the reason")] = None,
        since: Annotated[AwareDatetime | None, Query(description="put aside then or later")] = None,
        status: Annotated[Status | None, Query()] = None,
        after: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> LetterPage:
        if service is not None and service not in letters.services:
            raise Problem(422, f"{shown(service)} is no service; write one of {', '.join(letters.services)}.")
        unread = await replaying.refresh()
        query = {name: value for name, value in (("service", service), ("status", status)) if value}
        found = await letters.page(query | reason_query(reason) | since_query(since), after, limit + 1)
        more = found[limit - 1]["order"] if len(found) > limit else None
        return LetterPage(letters=[row(one) for one in found[:limit]], next=more, unread=unread)

    @api.get("/dead-letters/{id}", responses=documented(404), summary="A dead letter with all that it holds")
    async def show(id: str) -> LetterShown:
        await replaying.refresh()
        letter = await letters.letter(id)
        async with topic_reader(letters.kafka) as look:
            record = await letters.content(look, letter)
        return LetterShown(**about(letter), history=letter["history"], **content(record))

    @api.post(
        "/replays",
        status_code=202,
        openapi_extra=body_of(ReplaysBody),
        responses=documented(408, 413),
        summary="Replay dead letters, or say what would be done",
    )
    async def replay_some(request: Request) -> Outcomes:
        given = ReplaysBody.model_validate_json(await limited_body(request))
        await replaying.refresh()
        order = Order(given.by, given.anyway, given.dry_run)
        return Outcomes(outcomes=await replaying.replay(given.ids, order))

    @api.post(
        "/dead-letters/{id}/replay",
        status_code=202,
        openapi_extra=body_of(ReplayBody),
        responses=documented(404, 408, 409, 413),
        summary="Replay a dead letter",
    )
    async def replay(id: str, request: Request) -> Outcome:
        given = ReplayBody.model_validate_json(await limited_body(request) or b"{}")
        await replaying.refresh()
        await letters.letter(id)
        [outcome] = await replaying.replay([id], Order(given.by, given.anyway))
        if outcome.outcome == "refused":
            raise Problem(409, f"{shown(id)} was not replayed. {outcome.how}")
        return outcome

    @api.post(
        "/dead-letters/{id}/discard",
        openapi_extra=body_of(DiscardBody),
        responses=documented(404, 408, 409, 413),
        summary="Discard a dead letter, saying why",
    )
    async def discard(id: str, request: Request) -> Discarded:
        given = DiscardBody.model_validate_json(await limited_body(request))
        await replaying.refresh()
        letter, holds = await replaying.discard(id, given.why, given.by)
        return Discarded(**about(letter), history=letter["history"], holds=holds)

    return api


def reason_query(reason: str | None) -> dict[str, Any]:
    """Letters of this kind, or whose reason holds these words. Raises Problem 422."""
    if not reason:
        return {}
    if "\0" in reason:
        raise Problem(422, "reason holds the character U+0000; leave it out.")
    return {"$or": [{"kind": reason}, {"reason": {"$regex": re.escape(reason), "$options": "i"}}]}


def since_query(since: datetime | None) -> dict[str, Any]:
    """Letters that were put aside then or later; raises Problem 422 for a moment that no calendar holds in UTC."""
    try:
        return {"at": {"$gte": since.astimezone(UTC)}} if since else {}
    except OverflowError as error:
        raise Problem(422, f"since {shown(str(since))} is out of the calendar; write a later year.") from error


def row(letter: Document) -> LetterRow:
    """A letter as the list shows it."""
    return LetterRow(**about(letter))


def about(letter: Document) -> dict[str, Any]:
    """The fields of a row."""
    fields = set(LetterRow.model_fields) - {"id", "offset"}
    return {name: letter[name] for name in fields} | {"id": letter["_id"], "offset": letter["origin_offset"]}


def content(record: Record | None) -> dict[str, Any]:
    """What a letter holds, for the one who asks for it by its id."""
    if record is None:
        return {"found": False, "key": None, "value": None, "headers": []}
    headers = [HeaderShown(name=name, **(told(value) or {})) for name, value in record.headers]
    return {"found": True, "key": told(record.key), "value": told(record.value), "headers": headers}


def told(value: bytes | None) -> dict[str, str] | None:
    """Bytes as `Content`."""
    if value is None:
        return None
    try:
        return {"text": bytes(value).decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}
