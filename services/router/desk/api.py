"""The desk's routes; all of them want the operator's token."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import Field, StringConstraints, field_validator

from services.router.desk.cases import CaseQueries, summary
from services.router.desk.city_requests import city_sent, department_sent
from services.router.desk.city_revisions import CityDesk
from services.router.desk.commands import CommandAccepted, Commands
from services.router.desk.responses import CasePage, CaseShown, CommandStatus, Lines
from services.router.desk.retirement import Retirement
from services.router.stores.store import RouterStore
from shared.city import City, Department, Name
from shared.contracts.documented import Documented
from shared.contracts.fields import no_nul
from shared.contracts.limits import DEPARTMENTS_MAX
from shared.http.identity import BEARER, operators_only
from shared.http.parameters import After, DepartmentCode, EventId, InquiryId, PageSize
from shared.http.problems import Problem, answered, documented, shown
from shared.http.request_body import body_of, limited_body
from shared.service.reconciliation import Published, place_of

CITY_MAX = 4 * 1024 * 1024
REASON_MAX = 2_000
IDEMPOTENCY_KEY = "A key of your choice: a repeat with the same key and body is the same command."
STATES = [
    "registered",
    "triage",
    "assigned",
    "in-progress",
    "awaiting-release",
    "awaiting-resident",
    "answered",
    "closed",
    "reopened",
    "withdrawn",
    "refused",
]


class DepartmentBody(Documented):
    """What `PUT /departments/{code}` takes; the code stands in the path."""

    name: Name
    """The department's name in both languages."""
    kind: str = "bureau"
    """What the department is: `bureau`, `district`, `utility` or `imported`."""
    parent: str | None = None
    """The code of the department above it."""
    email: str | None = None
    """Where the department receives notices of new parts."""
    phones: tuple[str, ...] = ()
    """The telephone numbers that the department publishes; the hall leaves them readable."""
    areas: tuple[str, ...] = ()
    """The areas of which this department is the district office, as residents write them."""


class AssignBody(Documented):
    """The command that gives an inquiry, or what came back of it, to departments."""

    type: Literal["assign"]
    """The command, `assign`."""
    lead: str
    """The code of the department that leads."""
    co_handlers: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX - 1)] = ()
    """The codes of the other departments that get a part, at most 19."""


class CaseReplayBody(Documented):
    """The command that takes what was parked of an inquiry, in the order of the log."""

    type: Literal["replay"]
    """The command, `replay`."""


class WithdrawPartBody(Documented):
    """The command that takes a part away."""

    type: Literal["withdraw-part"]
    """The command, `withdraw-part`."""
    part_id: str
    """The id of the part."""
    why: Annotated[str, Field(min_length=1, max_length=2_000)]
    """The reason, 1 to 2,000 characters; the department receives it."""


class RetirementBody(Documented):
    """Why a department is retired; the department's own inbox says it with each part that is taken back."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_MAX)]
    """The reason, 1 to 2,000 characters."""

    _no_nul = field_validator("reason")(no_nul)


class Revised(Documented):
    """The revision now in force."""

    revision: int
    """The revision of the city that is now in force."""
    departments: int
    """How many departments are not retired."""
    rules: int
    """How many rules there are."""


class Retired(Revised):
    """The revision now in force, and how many parts were sent back to triage by this call."""

    parts: int
    """How many parts this call sent back to triage."""


def routes(cases: CaseQueries, commands: Commands, city: CityDesk, retirement: Retirement, token: bytes) -> APIRouter:
    """Every route of the desk."""
    api = APIRouter(
        tags=["desk"],
        dependencies=[Depends(BEARER), Depends(operators_only(token))],
        responses=documented(401, 404, 422, 429, 503),
    )

    @api.post(
        "/city",
        openapi_extra=body_of(City),
        responses=documented(408, 413),
        summary="Apply a city: directory, rules, policies",
    )
    async def apply(request: Request) -> Revised:
        return revised(await city.apply(city_sent(await limited_body(request, CITY_MAX))))

    @api.put(
        "/departments/{code}",
        openapi_extra=body_of(DepartmentBody),
        responses=documented(408, 409, 413),
        summary="Add or update a department",
    )
    async def put_department(code: DepartmentCode, request: Request) -> Revised:
        department = department_sent(code, await limited_body(request))
        return revised(await city.put_department(department))

    @api.post(
        "/departments/{code}/retirement",
        openapi_extra=body_of(RetirementBody),
        responses=documented(408, 409, 413),
        summary="Retire a department; what is open there goes to triage",
    )
    async def retire_department(code: DepartmentCode, request: Request) -> Retired:
        body = RetirementBody.model_validate_json(await limited_body(request))
        changed, parts = await retirement.retire(code, body.reason)
        return Retired(**revised(changed).model_dump(), parts=parts)

    @api.get("/departments", summary="The departments, retired ones included")
    async def departments() -> list[Department]:
        latest = await city.store.revisions.latest()
        return list(latest.departments) if latest else []

    @api.get(
        "/cases",
        response_model=None,
        responses=answered(CasePage),
        summary="Cases by state and department, page by page",
    )
    async def page(
        state: Annotated[str | None, Query(description=f"One of {', '.join(STATES)}.")] = None,
        department: Annotated[str | None, Query(description="The code of a department that has a part.")] = None,
        after: After = None,
        limit: PageSize = 100,
    ) -> dict[str, Any]:
        if state is not None and state not in STATES:
            raise Problem(422, f"{shown(state)} is no state; write one of {', '.join(STATES)}.")
        return await cases.page(state, department, after, limit)

    @api.get("/cases/{inquiry_id}", response_model=CaseShown, summary="A case with its parts, timeline and decisions")
    async def case(inquiry_id: InquiryId) -> dict[str, Any]:
        return await cases.case(inquiry_id)

    @api.post(
        "/cases/{inquiry_id}/commands",
        status_code=202,
        openapi_extra=body_of(AssignBody, CaseReplayBody, WithdrawPartBody),
        responses=documented(408, 413),
        summary="Put a command onto the log of a case",
    )
    async def command(
        inquiry_id: InquiryId,
        request: Request,
        idempotency_key: Annotated[str | None, Header(max_length=200, description=IDEMPOTENCY_KEY)] = None,
    ) -> CommandAccepted:
        return await commands.take(inquiry_id, await limited_body(request), idempotency_key)

    @api.get(
        "/commands/{event_id}",
        response_model=CommandStatus,
        response_model_exclude_unset=True,
        summary="What became of a command",
    )
    async def command_status(event_id: EventId) -> dict[str, Any]:
        return await commands.status(event_id)

    @api.get("/decisions", response_class=Lines, summary="Decisions by inquiry and number, as newline-delimited JSON")
    async def decisions(
        after: Annotated[str | None, Query(description="Only what follows `<inquiry_id>/<n>`.")] = None,
        limit: Annotated[int | None, Query(ge=1, description="How many decisions; without it, all.")] = None,
    ) -> Lines:
        lines = decision_lines(cases.store, *place_of(after or ""), limit)
        # An answer that has begun cannot become an error any more, so the first line is read before it begins.
        return Lines(with_first(await anext(lines, ""), lines))

    @api.post("/decisions/{inquiry_id}/{n}/publish", summary="Say a decision's messages again, under the ids they have")
    async def say_again(
        inquiry_id: InquiryId,
        n: Annotated[int, Path(ge=1, le=1_000_000, description="The number of the decision within its case.")],
    ) -> Published:
        found = await cases.store.decisions.at([(inquiry_id, n)])
        if not found:
            raise Problem(404, f"There is no decision {n} of {shown(inquiry_id)}.")
        await city.publisher.publish(found[0].messages)
        return Published(messages=len(found[0].messages))

    return api


async def decision_lines(store: RouterStore, inquiry_id: str, n: int, limit: int | None) -> AsyncIterator[str]:
    """Decisions after that place, in the order of inquiry and n."""
    told = 0
    async for one in store.decisions.in_order(inquiry_id):
        if (one.inquiry_id, one.n) <= (inquiry_id, n):
            continue
        if told == limit:
            return
        told += 1
        yield json.dumps(summary(one), ensure_ascii=False) + "\n"


async def with_first(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    """A line that was read before, and those that follow it."""
    yield first
    async for line in rest:
        yield line


def revised(city: City) -> Revised:
    """What is in force now."""
    return Revised(revision=city.revision, departments=len(city.active), rules=len(city.rules))
