"""The pages behind the links in mails: confirm an address, stop the mails about an inquiry, and resume them.

Opening a page changes nothing: mail programs and scanners open links before people do. Only the button does, and the
one-click request of a mail program (RFC 8058), which is a POST too.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from services.notifier import views
from services.notifier.domain.addresses import CONFIRM, STOP
from services.notifier.domain.threads import Thread
from services.notifier.mail.addresses import AddressStore
from services.notifier.mail.deliveries import DeliveryStore
from shared.http.problems import Problem, documented
from shared.runtime import timestamps
from shared.web.layout import Site, language

Token = Annotated[str, Query(max_length=200, description="The token of the link in the mail.")]
NOT_OURS = documented(404, or_page=True)


def answer(request: Request, name: str, token: str, known: bool, done: bool, site: Site) -> Response:
    """The page, or problem details for a program that reads only JSON and has a wrong token."""
    accepted = request.headers.get("accept", "")
    if not known and "json" in accepted and "text/html" not in accepted:
        raise Problem(404, "The token is not one of a link in a mail, or its inquiry is erased.")
    return views.mail_page(name, language(request), token, known, done, site)


def routes(mails: DeliveryStore, addresses: AddressStore, site: Site) -> APIRouter:
    router = APIRouter(tags=["mail"], default_response_class=HTMLResponse)
    _confirm_routes(router, mails, addresses, site)
    _stop_routes(router, mails, site)
    return router


def _confirm_routes(router: APIRouter, mails: DeliveryStore, addresses: AddressStore, site: Site) -> None:
    async def address_of(token: str) -> str | None:
        about = mails.keys.read(CONFIRM, token)
        return about[0] if about and await mails.knows(about[0]) else None

    @router.get("/mail/confirm", summary="The page that confirms an address", responses=NOT_OURS)
    async def ask(request: Request, token: Token = "") -> Response:
        address = await address_of(token)
        done = address is not None and bool(await addresses.confirmed([address]))
        return answer(request, "confirm", token, address is not None, done, site)

    @router.post("/mail/confirm", summary="Confirm an address", responses=NOT_OURS)
    async def confirm(request: Request, token: Token = "") -> Response:
        address = await address_of(token)
        if address is not None:
            await addresses.confirm(address, timestamps.now())
            await mails.try_now(address, timestamps.now())
        return answer(request, "confirm", token, address is not None, True, site)


def _stop_routes(router: APIRouter, mails: DeliveryStore, site: Site) -> None:
    async def thread_of(token: str) -> Thread | None:
        about = mails.keys.read(STOP, token)
        return await mails.thread("/".join((about[0], "resident", about[1]))) if about else None

    @router.get("/mail/stop", summary="The page that stops the mails about an inquiry", responses=NOT_OURS)
    async def ask(request: Request, token: Token = "") -> Response:
        thread = await thread_of(token)
        done = thread is not None and thread.stopped
        return answer(request, "stop", token, thread is not None, done, site)

    async def change(request: Request, token: str, stopped: bool) -> Response:
        thread = await thread_of(token)
        if thread is not None:
            await mails.set_stopped(thread.id, stopped)
        return answer(request, "stop", token, thread is not None, stopped, site)

    @router.post("/mail/stop", summary="Stop the mails about an inquiry to an address", responses=NOT_OURS)
    async def stop(request: Request, token: Token = "") -> Response:
        return await change(request, token, True)

    @router.post("/mail/resume", summary="Resume the mails about an inquiry to an address", responses=NOT_OURS)
    async def resume(request: Request, token: Token = "") -> Response:
        return await change(request, token, False)
