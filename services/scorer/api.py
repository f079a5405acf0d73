"""The scorer's routes: the scoreboard and the clocks of an inquiry."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.scorer import views
from services.scorer.domain.periods import FIRST_YEAR, LAST_YEAR, Period, neighbours
from services.scorer.domain.periods import period as period_of
from services.scorer.queries import ScoreQueries
from services.scorer.responses import ClockShown, Scoreboard
from shared.http.parameters import AsOf, InquiryId
from shared.http.problems import FieldProblem, Problem, answered, documented
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.web.layout import Site, language

PERIOD = "A month, an ISO week or a day: `2026-11`, `2026-W47` or `2026-11-22`; without it, the month of `as_of`."
FORMAT = "`html` for the page, `json` for the data; without it, the page for a client that accepts HTML."


def routes(scoring: ScoreQueries, settings: Settings, site: Site) -> APIRouter:
    # These routes are public: events contain no words and no personal data.
    api = APIRouter(tags=["scores"])

    @api.get(
        "/scoreboard",
        responses=answered(Scoreboard, or_page=True),
        summary="Departments side by side over a period",
    )
    async def scoreboard(
        request: Request,
        period: Annotated[str | None, Query(description=PERIOD)] = None,
        format: Annotated[Literal["json", "html"] | None, Query(description=FORMAT)] = None,
        as_of: AsOf = None,
    ) -> Response:
        at = requested_time(as_of)
        over = requested_period(period, at, scoring.city.zone(settings))
        board = await scoring.scoreboard(over, at)
        wants_page = format == "html" or (format is None and "text/html" in request.headers.get("accept", ""))
        if not wants_page:
            body = board.model_dump_json(by_alias=True)
            return Response(body, headers={"Cache-Control": "no-cache"}, media_type="application/json")
        before, following = neighbours(over)
        return views.scoreboard(language(request), board, before, following, site)

    @api.get("/", include_in_schema=False)
    async def front() -> Response:
        return RedirectResponse("/scoreboard?format=html")

    @api.get(
        "/inquiries/{inquiry_id}/clocks",
        response_model_exclude_unset=True,
        summary="Every clock of an inquiry with its verdict",
        responses=documented(404),
    )
    async def clocks(inquiry_id: InquiryId, as_of: AsOf = None) -> list[ClockShown]:
        return await scoring.clocks(inquiry_id, requested_time(as_of))

    return api


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
