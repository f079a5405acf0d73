"""The operators' routes about the hall: the masked versions, what waits for a decision, and what the hall shows.

The decisions themselves are commands at the desk, which is the one place where a case changes.
"""

from typing import Annotated, get_args

from fastapi import APIRouter, Query

from services.notifier.domain.publication import HallState
from services.notifier.hall_versions import HallVersions
from services.notifier.responses import EntryList, EntryReviewed
from shared.http.identity import operators_only
from shared.http.parameters import After, InquiryId, PageSize
from shared.http.problems import Problem, documented, shown
from shared.http.protected import protected_routes
from shared.http.query_fields import unknown_place

STATES: tuple[str, ...] = get_args(HallState)
StateFilter = Annotated[str | None, Query(description=f"Only inquiries in this state: {', '.join(STATES)}.")]


def routes(versions: HallVersions, token: bytes) -> APIRouter:
    api = protected_routes("operators", operators_only(token))
    _list_route(api, versions)
    _entry_route(api, versions)
    return api


def _list_route(api: APIRouter, versions: HallVersions) -> None:
    @api.get(
        "/publications",
        summary="The masked versions of public inquiries, with what waits for a decision",
        responses=documented(401, 404, 429),
    )
    async def list_entries(state: StateFilter = None, after: After = None, limit: PageSize = 100) -> EntryList:
        if state is not None and state not in STATES:
            raise Problem(422, f"{shown(state)} is not a state of an entry; write one of {', '.join(STATES)}.")
        if after is not None and await versions.reviewed(after) is None:
            raise unknown_place(after)
        found = await versions.page(state, after, limit + 1)
        page = [EntryReviewed.of(one) for one in found[:limit]]
        return EntryList(entries=page, next=page[-1].inquiry_id if len(found) > limit else None)


def _entry_route(api: APIRouter, versions: HallVersions) -> None:
    @api.get(
        "/publications/{inquiry_id}",
        summary="The newest masked version of one inquiry",
        responses=documented(401, 404, 422, 429),
    )
    async def entry(inquiry_id: InquiryId) -> EntryReviewed:
        found = await versions.reviewed(inquiry_id)
        if found is None:
            raise Problem(404, f"There is no masked version of {shown(inquiry_id)}: it is not public or not answered.")
        return EntryReviewed.of(found)
