"""The desk's routes for dead letters."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime

from services.router.dead_letters.replay import DeadLetterReplay, ReplayOrder, ReplayOutcome
from services.router.dead_letters.requests import DeadLetterReplayBody, DeadLetterReplaysBody, DiscardBody
from services.router.dead_letters.responses import (
    DeadLetterDiscarded,
    DeadLetterPage,
    DeadLetterShown,
    Outcomes,
    Status,
    content_fields,
    row,
    row_fields,
)
from services.router.users.guard import StaffGuard, Who
from shared.http.parameters import PageSize
from shared.http.problems import Problem, documented, shown
from shared.http.protected import protected_routes
from shared.http.query_fields import unknown_place
from shared.http.request_body import body_of, limited_body, parsed
from shared.kafka.topic_reader import topic_reader

AFTER = "Only what follows this: `next` of the page before."
LetterId = Annotated[str, Path(description="The id of the dead letter, such as `router-12`.")]


def routes(replaying: DeadLetterReplay, guard: StaffGuard) -> APIRouter:
    api = protected_routes("dead letters", guard.check, 401, 403, 422, 429, 503)
    _list_routes(api, replaying)
    _replay_routes(api, replaying)
    _discard_routes(api, replaying)
    return api


def _list_routes(api: APIRouter, replaying: DeadLetterReplay) -> None:
    letters = replaying.letters

    @api.get(
        "/dead-letters", responses=documented(404), summary="Dead letters of all services, oldest first, page by page"
    )
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
            raise Problem(422, f"{shown(service)} is not a service; write one of {', '.join(letters.services)}.")
        unread = await replaying.refresh()
        query = {name: value for name, value in (("service", service), ("status", status)) if value}
        if after and not await letters.has_place(after):
            raise unknown_place(after)
        found = await letters.page(query | reason_query(reason) | since_query(since), after, limit + 1)
        more = found[limit - 1]["order"] if len(found) > limit else None
        return DeadLetterPage(
            letters=[row(one) for one in found[:limit]], next=more, unread=unread, open=await letters.count_open()
        )

    @api.get("/dead-letters/{id}", responses=documented(404), summary="A dead letter with its record and history")
    async def show(id: LetterId) -> DeadLetterShown:
        await replaying.refresh()
        letter = await letters.letter(id)
        record = None
        if not await replaying.erased(letter):
            async with topic_reader(letters.kafka) as reader:
                record = await letters.content(reader, letter)
        return DeadLetterShown(**row_fields(letter), history=letter["history"], **content_fields(record))


def _replay_routes(api: APIRouter, replaying: DeadLetterReplay) -> None:
    @api.post(
        "/replays",
        status_code=202,
        openapi_extra=body_of(DeadLetterReplaysBody),
        responses=documented(408, 413),
        summary="Replay dead letters, or report what a replay would do",
    )
    async def replay_some(request: Request, who: Who) -> Outcomes:
        given = parsed(DeadLetterReplaysBody, await limited_body(request))
        await replaying.refresh()
        order = ReplayOrder(who, who.person(given.by), given.anyway, given.dry_run)
        return Outcomes(outcomes=await replaying.replay(given.ids, order))

    @api.post(
        "/dead-letters/{id}/replay",
        status_code=202,
        openapi_extra=body_of(DeadLetterReplayBody),
        responses=documented(404, 408, 409, 413),
        summary="Replay a dead letter",
    )
    async def replay(id: LetterId, request: Request, who: Who) -> ReplayOutcome:
        given = parsed(DeadLetterReplayBody, await limited_body(request) or b"{}")
        await replaying.refresh()
        await replaying.letters.letter(id)
        [outcome] = await replaying.replay([id], ReplayOrder(who, who.person(given.by), given.anyway))
        if outcome.outcome == "refused":
            raise Problem(409, f"{shown(id)} was not replayed. {outcome.how}")
        return outcome


def _discard_routes(api: APIRouter, replaying: DeadLetterReplay) -> None:
    @api.post(
        "/dead-letters/{id}/discard",
        openapi_extra=body_of(DiscardBody),
        responses=documented(404, 408, 409, 413),
        summary="Discard a dead letter, with a reason",
    )
    async def discard(id: LetterId, request: Request, who: Who) -> DeadLetterDiscarded:
        given = parsed(DiscardBody, await limited_body(request))
        await replaying.refresh()
        letter, holds = await replaying.discard(id, given.why, who.person(given.by), who)
        return DeadLetterDiscarded(**row_fields(letter), history=letter["history"], holds=holds)


def reason_query(reason: str | None) -> dict[str, Any]:
    """Selects dead letters of this kind, or with these words in their reason. Raises Problem 422 for U+0000."""
    if not reason:
        return {}
    if "\0" in reason:
        raise Problem(422, "reason contains the character U+0000; leave it out.")
    return {"$or": [{"kind": reason}, {"reason": {"$regex": re.escape(reason), "$options": "i"}}]}


def since_query(since: datetime | None) -> dict[str, Any]:
    """Selects dead letters written at this time or later. Raises Problem 422 when UTC has no such date."""
    try:
        return {"at": {"$gte": since.astimezone(UTC)}} if since else {}
    except OverflowError as error:
        raise Problem(422, f"since {shown(str(since))} is out of the calendar; write a later year.") from error
