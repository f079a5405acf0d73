"""The route of the desk's list of cases."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from services.router.desk.case_filters import DUE, PART_STATES, CaseFilter, chosen, received, searched
from services.router.desk.case_list_responses import CasePage
from services.router.desk.cases import CaseQueries
from services.router.domain.search.query import QUERY_MAX
from services.router.users.guard import Who
from shared.http.parameters import After, PageSize
from shared.http.problems import answered

QUERY = (
    f"Words that the texts of a case have, in any order, or a ticket number; at most {QUERY_MAX} characters. A page of "
    "a search may end early, even empty: while `next` is not null, the list continues."
)
TIME = "a date in the city's time zone or a time, RFC 3339 with a time zone"


def add_routes(api: APIRouter, cases: CaseQueries, states: Sequence[str], zone: Callable[[], ZoneInfo]) -> None:
    @api.get(
        "/cases",
        response_model=None,
        responses=answered(CasePage),
        summary="Cases, the message received last first, page by page; those of your department, if you have one",
    )
    async def page(
        who: Who,
        state: Annotated[
            list[str] | None, Query(description=f"One of {', '.join(states)}; repeat it for several.")
        ] = None,
        department: Annotated[str | None, Query(description="The code of a department that has a part.")] = None,
        lead: Annotated[str | None, Query(description="The code of the department that leads.")] = None,
        part_state: Annotated[
            str | None,
            Query(description=f"The state of a part, of your or the given department: {', '.join(PART_STATES)}."),
        ] = None,
        due: Annotated[
            str | None,
            Query(
                description="`overdue`: a clock of an open part has run out. `soon`: it runs out within 24 hours, or its "
                "department was reminded of it. With a department, a clock of its part."
            ),
        ] = None,
        has_open: Annotated[
            bool, Query(alias="open", description="Only cases with an open part, answered ones included.")
        ] = False,
        reported: Annotated[
            bool, Query(description="Only cases whose entry in the hall a reader has reported.")
        ] = False,
        since: Annotated[str | None, Query(description=f"Received from then on: {TIME}.")] = None,
        until: Annotated[
            str | None, Query(description=f"Received before then: {TIME}; of a date, the whole day is included.")
        ] = None,
        query: Annotated[str | None, Query(description=QUERY)] = None,
        after: After = None,
        limit: PageSize = 100,
    ) -> dict[str, Any]:
        words, inquiry_id = searched(query)
        wanted = CaseFilter(
            states=chosen("state", state or (), states),
            department=department,
            lead=lead,
            part_state=next(
                iter(chosen("part_state", [part_state] if part_state is not None else [], PART_STATES)), None
            ),
            has_open=has_open,
            reported=reported,
            due=next(iter(chosen("due", [due] if due is not None else [], DUE)), None),
            since=received("since", since, zone()),
            until=received("until", until, zone(), days=1),
            words=words,
            inquiry_id=inquiry_id,
        )
        return await cases.page(wanted, after, limit, who)
