"""The scorer's routes: the scoreboard and the clocks of an inquiry."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.scorer import views
from services.scorer.domain.periods import FIRST_YEAR, LAST_YEAR, Period, neighbours
from services.scorer.domain.periods import period as period_of
from services.scorer.queries import ScoreQueries
from services.scorer.responses import ClockShown, Scoreboard
from services.scorer.sorting import SORTS, Sorted, requested_choice
from shared.http.accept import wants_page
from shared.http.parameters import AsOf, InquiryId
from shared.http.problems import FieldProblem, Problem, answered, documented
from shared.http.query_fields import KNOWN_FIELDS_ONLY
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.web.layout import Site, language

PERIOD = "A month, an ISO week or a day: `2026-11`, `2026-W47` or `2026-11-22`; without it, the month of `as_of`."
FORMATS = ("html", "json")
SORT = f"The column by which rows are sorted: {', '.join(SORTS)}; without it, the city's own order."
ORDER = "`asc` or `desc`; without it, names ascend and figures descend. Rows without a value come last."
LANG = "The language of the page and of names to sort by, `zh` or `en`; without it, the best match of Accept-Language."
FORMAT = "`html` for the page, `json` for the data; without it, the page for a client that accepts HTML."


def routes(scoring: ScoreQueries, settings: Settings, site: Site) -> APIRouter:
    # These routes are public: events contain no words and no personal data.
    api = APIRouter(tags=["scores"])

    _scoreboard_route(api, scoring, settings, site)

    @api.get("/", include_in_schema=False)
    async def front(request: Request) -> Response:
        chosen = f"&lang={language(request)}" if "lang" in request.query_params else ""
        return RedirectResponse(f"/scoreboard?format=html{chosen}")

    @api.get(
        "/inquiries/{inquiry_id}/clocks",
        response_model_exclude_unset=True,
        dependencies=[KNOWN_FIELDS_ONLY],
        summary="Every clock of an inquiry with its verdict",
        responses=documented(404),
    )
    async def clocks(inquiry_id: InquiryId, as_of: AsOf = None) -> list[ClockShown]:
        return await scoring.clocks(inquiry_id, requested_time(as_of))

    return api


def _scoreboard_route(api: APIRouter, scoring: ScoreQueries, settings: Settings, site: Site) -> None:
    @api.get(
        "/scoreboard",
        dependencies=[KNOWN_FIELDS_ONLY],
        responses=answered(Scoreboard, or_page=True) | documented(422, or_page=True),
        summary="Departments side by side over a period",
    )
    async def scoreboard(
        request: Request,
        period: Annotated[str | None, Query(description=PERIOD)] = None,
        format: Annotated[str | None, Query(description=FORMAT)] = None,
        as_of: AsOf = None,
        sort: Annotated[str | None, Query(description=SORT)] = None,
        order: Annotated[str | None, Query(description=ORDER)] = None,
        lang: Annotated[str | None, Query(description=LANG)] = None,
    ) -> Response:
        reader = language(request)
        as_page = format == "html" or (format != "json" and wants_page(request))
        try:
            requested_choice("format", format, FORMATS)
            at = requested_time(as_of)
            over = requested_period(period, at, scoring.city.zone(settings))
            sorted_by = Sorted.requested(sort, order)
        except Problem as problem:
            if not as_page:
                raise
            return views.wrong_address(reader, problem.errors[0].pointer.removeprefix("/"), site)
        board = await scoring.scoreboard(over, at)
        board.departments = sorted_by.rows(board.departments, reader)
        if not as_page:
            body = board.model_dump_json(by_alias=True)
            return Response(body, headers={"Cache-Control": "no-cache"}, media_type="application/json")
        asked = {"period": over.name} | ({"as_of": as_of} if as_of else {})
        return views.scoreboard(reader, board, asked, neighbours(over, min(at, timestamps.now())), sorted_by, site)


def requested_period(name: str | None, as_of: datetime, zone: ZoneInfo) -> Period:
    """The period with this name; without one, the month of `as_of`. Raises Problem 422."""
    try:
        return period_of(name or as_of.astimezone(zone).strftime("%Y-%m"), zone)
    except ValueError as error:
        detail = f"period {error}"
        raise Problem(422, detail + ".", [FieldProblem(pointer="/period", detail=detail)]) from error


def requested_time(as_of: str | None) -> datetime:
    """The time `as_of`; without one, now. Raises Problem 422."""
    if as_of is None:
        return timestamps.now()
    try:
        at = timestamps.from_text(as_of).astimezone(UTC)
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            raise ValueError(as_of)
        return at
    except (ValueError, OverflowError) as error:
        detail = f"as_of {as_of!r} is not a time with a time zone; write one like 2026-11-22T09:12:16Z"
        raise Problem(422, detail + ".", [FieldProblem(pointer="/as_of", detail=detail)]) from error
