"""The hall's pages: the list of public replies, and each reply."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from services.notifier import views
from services.notifier.parameters import HallAfter, existing_place
from services.notifier.store import NotifierStore
from shared.city import City
from shared.http.parameters import InquiryId
from shared.http.problems import Problem, documented, shown
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.web import layout
from shared.web.layout import Site, language

PAGE = 20


def routes(store: NotifierStore, city: CityFeed[City], settings: Settings, site: Site) -> APIRouter:
    """The list, newest reply first, and a page for each entry."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    @router.get(
        "/hall",
        tags=["hall"],
        response_class=HTMLResponse,
        responses=documented(404, or_page=True),
        summary="Answered public inquiries, as a page",
    )
    async def hall(request: Request, after: HallAfter = None) -> Response:
        await existing_place(store, after)
        found = await store.hall_page(after, PAGE + 1)
        further = found[PAGE - 1].inquiry_id if len(found) > PAGE else None
        return views.hall(language(request), found[:PAGE], further, city.zone(settings), site)

    @router.get(
        "/hall/{inquiry_id}",
        tags=["hall"],
        response_class=HTMLResponse,
        summary="One answered public inquiry, as a page",
        responses=documented(404, or_page=True),
    )
    async def entry(inquiry_id: InquiryId, request: Request) -> Response:
        found = await store.entry(inquiry_id)
        if found is None:
            if "json" in request.headers.get("accept", "") and "text/html" not in request.headers["accept"]:
                raise Problem(404, f"There is no answer to {shown(inquiry_id)} in the hall.")
            return layout.problem(language(request), 404, site=site)
        return views.hall_entry(language(request), found, city.zone(settings), site)

    return router
