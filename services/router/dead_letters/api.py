"""The desk's routes for dead letters; all of them require the operator's token."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, ConfigDict, Field

from services.router.dead_letters.replay import DeadLetterReplay, ReplayOrder, ReplayOutcome
from services.router.dead_letters.responses import (
    DeadLetterDiscarded,
    DeadLetterPage,
    DeadLetterShown,
    Outcomes,
    Status,
    about,
    content,
    row,
)
from shared.contracts.documented import Documented
from shared.http.identity import BEARER, operators_only
from shared.http.parameters import PageSize
from shared.http.problems import Problem, documented, shown
from shared.http.request_body import body_of, limited_body
from shared.kafka.topic_reader import topic_reader

IDS_MAX = 200
AFTER = "Only what follows this: `next` of the page before."
LetterId = Annotated[str, Path(description="The id of the dead letter, such as `router-12`.")]


By = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[str, Field(min_length=1, max_length=2_000)]


class DeadLetterReplayBody(Documented):
    """What `POST /dead-letters/{id}/replay` takes; `anyway`: also what was replayed or discarded before."""

    model_config = ConfigDict(extra="forbid")
    by: By = "operator"
    """Who replays, 1 to 100 characters."""
    anyway: bool = False
    """Replay the dead letter even if it was replayed or discarded before."""


class DeadLetterReplaysBody(DeadLetterReplayBody):
    """What `POST /replays` takes; `dry_run`: say what would be done, and do nothing."""

    ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=IDS_MAX)]
    """The ids of 1 to 200 dead letters."""
    dry_run: bool = False
    """Only say what would be done."""


class DiscardBody(Documented):
    """What `POST /dead-letters/{id}/discard` takes."""

    model_config = ConfigDict(extra="forbid")
    why: Words
    """The reason, 1 to 2,000 characters."""
    by: By
    """Who discards, 1 to 100 characters."""


def routes(replaying: DeadLetterReplay, token: bytes) -> APIRouter:
    """Every route for dead letters."""
    api = APIRouter(
        tags=["dead letters"],
        dependencies=[Depends(BEARER), Depends(operators_only(token))],
        responses=documented(401, 422, 429, 503),
    )
    letters = replaying.letters

    @api.get("/dead-letters", summary="Dead letters of all services, oldest first, page by page")
    async def page(
        service: Annotated[str | None, Query(description="`intake`, `router`, `notifier` or `scorer`.")] = None,
        reason: Annotated[str | None, Query(max_length=200, description="The kind, or words of the reason.")] = None,
        since: Annotated[
            AwareDatetime | None, Query(description="Only dead letters written at this time or later.")
        ] = None,
        status: Annotated[Status | None, Query(description="Only dead letters of this status.")] = None,
        after: Annotated[str | None, Query(max_length=200, description=AFTER)] = None,
        limit: PageSize = 100,
    ) -> DeadLetterPage:
        if service is not None and service not in letters.services:
            raise Problem(422, f"{shown(service)} is no service; write one of {', '.join(letters.services)}.")
        unread = await replaying.refresh()
        query = {name: value for name, value in (("service", service), ("status", status)) if value}
        found = await letters.page(query | reason_query(reason) | since_query(since), after, limit + 1)
        more = found[limit - 1]["order"] if len(found) > limit else None
        return DeadLetterPage(letters=[row(one) for one in found[:limit]], next=more, unread=unread)

    @api.get("/dead-letters/{id}", responses=documented(404), summary="A dead letter with all that it holds")
    async def show(id: LetterId) -> DeadLetterShown:
        await replaying.refresh()
        letter = await letters.letter(id)
        record = None
        if not await replaying.erased(letter):
            async with topic_reader(letters.kafka) as look:
                record = await letters.content(look, letter)
        return DeadLetterShown(**about(letter), history=letter["history"], **content(record))

    @api.post(
        "/replays",
        status_code=202,
        openapi_extra=body_of(DeadLetterReplaysBody),
        responses=documented(408, 413),
        summary="Replay dead letters, or say what would be done",
    )
    async def replay_some(request: Request) -> Outcomes:
        given = DeadLetterReplaysBody.model_validate_json(await limited_body(request))
        await replaying.refresh()
        order = ReplayOrder(given.by, given.anyway, given.dry_run)
        return Outcomes(outcomes=await replaying.replay(given.ids, order))

    @api.post(
        "/dead-letters/{id}/replay",
        status_code=202,
        openapi_extra=body_of(DeadLetterReplayBody),
        responses=documented(404, 408, 409, 413),
        summary="Replay a dead letter",
    )
    async def replay(id: LetterId, request: Request) -> ReplayOutcome:
        given = DeadLetterReplayBody.model_validate_json(await limited_body(request) or b"{}")
        await replaying.refresh()
        await letters.letter(id)
        [outcome] = await replaying.replay([id], ReplayOrder(given.by, given.anyway))
        if outcome.outcome == "refused":
            raise Problem(409, f"{shown(id)} was not replayed. {outcome.how}")
        return outcome

    @api.post(
        "/dead-letters/{id}/discard",
        openapi_extra=body_of(DiscardBody),
        responses=documented(404, 408, 409, 413),
        summary="Discard a dead letter, saying why",
    )
    async def discard(id: LetterId, request: Request) -> DeadLetterDiscarded:
        given = DiscardBody.model_validate_json(await limited_body(request))
        await replaying.refresh()
        letter, holds = await replaying.discard(id, given.why, given.by)
        return DeadLetterDiscarded(**about(letter), history=letter["history"], holds=holds)

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
