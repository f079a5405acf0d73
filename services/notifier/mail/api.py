"""The operators' routes about mails: list them, and send a failed one again."""

from typing import Annotated, get_args

from fastapi import APIRouter, Path, Query

from services.notifier.domain.deliveries import State
from services.notifier.mail.deliveries import DeliveryStore
from services.notifier.responses import MailCounts, MailList, MailShown
from shared.http.identity import operators_only
from shared.http.parameters import After, InquiryIdFilter, PageSize
from shared.http.problems import Problem, documented, shown
from shared.http.protected import protected_routes
from shared.http.query_fields import unknown_place
from shared.runtime import timestamps

STATES: dict[str, State] = {state: state for state in get_args(State)}
StateFilter = Annotated[str | None, Query(description=f"Only mails in this state: {', '.join(STATES)}.")]
MailId = Annotated[str, Path(description="The id of the mail, as the list shows it.")]


def routes(mails: DeliveryStore, token: bytes) -> APIRouter:
    api = protected_routes("operators", operators_only(token))
    _list_route(api, mails)
    _count_route(api, mails)
    _retry_route(api, mails)
    return api


def _list_route(api: APIRouter, mails: DeliveryStore) -> None:
    @api.get("/mails", summary="Mails with their state, newest first", responses=documented(401, 404, 429))
    async def list_mails(
        state: StateFilter = None, inquiry_id: InquiryIdFilter = None, after: After = None, limit: PageSize = 100
    ) -> MailList:
        if state is not None and state not in STATES:
            raise Problem(422, f"{shown(state)} is not a state of a mail; write one of {', '.join(STATES)}.")
        last = await mails.delivery(after) if after is not None else None
        if after is not None and last is None:
            raise unknown_place(after)
        found = await mails.page(STATES[state] if state else None, inquiry_id, last, limit + 1)
        page = [MailShown.of(one) for one in found[:limit]]
        return MailList(mails=page, next=page[-1].id if len(found) > limit else None)


def _count_route(api: APIRouter, mails: DeliveryStore) -> None:
    @api.get("/mails/counts", summary="How many mails are unsent and failed", responses=documented(401, 429))
    async def counts() -> MailCounts:
        return MailCounts(unsent=await mails.count("waiting", "retrying"), failed=await mails.count("failed"))


def _retry_route(api: APIRouter, mails: DeliveryStore) -> None:
    @api.post(
        "/mails/{id}/retry",
        status_code=202,
        summary="Send a failed mail again",
        responses=documented(401, 404, 409, 429),
    )
    async def retry(id: MailId) -> MailShown:
        found = await mails.delivery(id)
        if found is None:
            raise Problem(404, f"There is no mail {shown(id)}; the list shows the ids.")
        if found.state in ("waiting", "retrying"):
            return MailShown.of(found)
        if found.state != "failed":
            raise Problem(409, f"The mail {shown(id)} is {found.state}; only a failed one can be sent again.")
        if found.words_until is None:
            raise Problem(409, f"The text of the mail {shown(id)} is deleted: it failed too long ago.")
        await mails.send_again(found, timestamps.now())
        return MailShown.of(await mails.delivery(id) or found)
