"""The desk's routes for cases, commands, decisions and the city. `users/rights.py` has the roles of each."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request

from services.router.desk import case_list_routes, city_views, resubmissions, text_modules, triage, worklist
from services.router.desk.asking_requests import AskBody, AskExtensionBody, ExtendBody, RefuseExtensionBody
from services.router.desk.cases import CaseQueries, summary
from services.router.desk.city_requests import city_sent, department_sent
from services.router.desk.city_revisions import CityDesk
from services.router.desk.closing_requests import CloseBody
from services.router.desk.commands import CommandAccepted, Commands
from services.router.desk.correction_requests import CorrectBody, RetractBody
from services.router.desk.delegation_requests import DelegateBody
from services.router.desk.department_requests import AcceptBody, ContributeBody, ReplyBody, ReturnBody
from services.router.desk.privacy_requests import EraseBody, LinkBody, RefuseBody
from services.router.desk.publication_requests import HideBody, PublishBody, RedactBody
from services.router.desk.release_requests import ApproveBody, EditReplyBody, GoAheadBody, RefuseReleaseBody
from services.router.desk.requests import AssignBody, CaseReplayBody, DepartmentBody, RetirementBody, WithdrawPartBody
from services.router.desk.responses import CaseShown, CommandStatus, Lines, Retired, Revised
from services.router.desk.retirement import Retirement
from services.router.desk.return_requests import ArbitrateBody, AssignFirstReceiverBody, ReassignBody
from services.router.stores.store import RouterStore
from services.router.users.guard import StaffGuard, Who
from shared.city import City, Department
from shared.http.parameters import DepartmentCode, EventId, IdempotencyKeyHeader, InquiryId
from shared.http.problems import Problem, documented, shown
from shared.http.protected import protected_routes
from shared.http.query_fields import unknown_place
from shared.http.request_body import body_of, limited_body, parsed
from shared.kafka.publisher import Publisher
from shared.service.reconciliation import Published, is_place, place_of

CITY_MAX = 4 * 1024 * 1024
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
    "erased",
]


def routes(
    cases: CaseQueries, commands: Commands, city: CityDesk, retirement: Retirement, guard: StaffGuard
) -> APIRouter:
    api = protected_routes("desk", guard.check, 401, 403, 404, 422, 429, 503)
    _city_routes(api, city, retirement)
    case_list_routes.add_routes(api, cases, STATES, lambda: city.city.zone(city.settings))
    _case_routes(api, cases)
    _command_routes(api, commands)
    _decision_routes(api, cases.store, city.publisher)
    triage.add_routes(api, cases.store)
    resubmissions.add_routes(api, cases.store)
    worklist.add_routes(api, cases.store)
    city_views.add_routes(api, city)
    text_modules.add_routes(api, city)
    return api


def _city_routes(api: APIRouter, city: CityDesk, retirement: Retirement) -> None:
    @api.post(
        "/city",
        openapi_extra=body_of(City),
        responses=documented(408, 413),
        summary="Apply a city: directory, rules, policies",
    )
    async def apply(
        request: Request,
        who: Who,
        texts: Annotated[
            Literal["folder"] | None,
            Query(description="`folder`: the sent text modules replace those that the desk changed or removed."),
        ] = None,
    ) -> Revised:
        sent = city_sent(await limited_body(request, CITY_MAX))
        return Revised.of(await city.apply(sent, who, texts_of_folder=texts == "folder"))

    @api.put(
        "/departments/{code}",
        openapi_extra=body_of(DepartmentBody),
        responses=documented(408, 409, 413),
        summary="Add or update a department",
    )
    async def put_department(code: DepartmentCode, request: Request, who: Who) -> Revised:
        return Revised.of(await city.put_department(department_sent(code, await limited_body(request)), who))

    @api.post(
        "/departments/{code}/retirement",
        openapi_extra=body_of(RetirementBody),
        responses=documented(408, 409, 413),
        summary="Retire a department; its open parts go to triage",
    )
    async def retire_department(code: DepartmentCode, request: Request, who: Who) -> Retired:
        body = parsed(RetirementBody, await limited_body(request))
        changed, parts = await retirement.retire(code, body.reason, who, who.person(body.by))
        return Retired(**Revised.of(changed).model_dump(), parts=parts)

    @api.get("/departments", summary="The departments, retired ones included")
    async def departments() -> list[Department]:
        latest = await city.store.revisions.latest()
        return list(latest.departments) if latest else []


def _case_routes(api: APIRouter, cases: CaseQueries) -> None:
    @api.get("/cases/{inquiry_id}", response_model=CaseShown, summary="A case with its parts, timeline and decisions")
    async def case(inquiry_id: InquiryId, who: Who) -> dict[str, Any]:
        return await cases.case(inquiry_id, who)


def _command_routes(api: APIRouter, commands: Commands) -> None:
    @api.post(
        "/cases/{inquiry_id}/commands",
        status_code=202,
        openapi_extra=body_of(
            AssignBody,
            CaseReplayBody,
            WithdrawPartBody,
            ReassignBody,
            ArbitrateBody,
            AssignFirstReceiverBody,
            AcceptBody,
            ContributeBody,
            ReplyBody,
            ReturnBody,
            DelegateBody,
            EditReplyBody,
            GoAheadBody,
            ApproveBody,
            RefuseReleaseBody,
            CorrectBody,
            RetractBody,
            PublishBody,
            HideBody,
            RedactBody,
            AskBody,
            AskExtensionBody,
            ExtendBody,
            RefuseExtensionBody,
            CloseBody,
            RefuseBody,
            LinkBody,
            EraseBody,
        ),
        responses=documented(408, 413),
        summary="Send a command to a case",
    )
    async def command(
        inquiry_id: InquiryId,
        request: Request,
        who: Who,
        idempotency_key: IdempotencyKeyHeader = None,
    ) -> CommandAccepted:
        return await commands.take(inquiry_id, await limited_body(request), idempotency_key, who)

    @api.get(
        "/commands/{event_id}",
        response_model=CommandStatus,
        response_model_exclude_unset=True,
        summary="The status of one of your own commands",
    )
    async def command_status(event_id: EventId, who: Who) -> dict[str, Any]:
        return await commands.status(event_id, who)


def _decision_routes(api: APIRouter, store: RouterStore, publisher: Publisher) -> None:
    @api.get("/decisions", response_class=Lines, summary="Decisions by inquiry and number, as newline-delimited JSON")
    async def decisions(
        after: Annotated[str | None, Query(description="Only decisions after `<inquiry_id>/<n>`.")] = None,
        limit: Annotated[int | None, Query(ge=1, description="How many decisions; without it, all.")] = None,
    ) -> Lines:
        inquiry_id, n = place_of(after or "")
        if after and not (is_place(after, inquiry_id, n) and await store.decisions.has(inquiry_id, max(n, 1))):
            raise unknown_place(after)
        lines = decision_lines(store, inquiry_id, n, limit)
        # The status cannot change after the answer has begun, so errors must come up before: read the first line here.
        return Lines(with_first(await anext(lines, ""), lines))

    @api.post("/decisions/{inquiry_id}/{n}/publish", summary="Publish a decision's messages again, under the same ids")
    async def publish_again(
        inquiry_id: InquiryId,
        n: Annotated[int, Path(ge=1, le=1_000_000, description="The number of the decision within its case.")],
    ) -> Published:
        found = await store.decisions.at([(inquiry_id, n)])
        if not found:
            raise Problem(404, f"There is no decision {n} of {shown(inquiry_id)}.")
        await publisher.publish(found[0].messages)
        return Published(messages=len(found[0].messages))


async def decision_lines(store: RouterStore, inquiry_id: str, n: int, limit: int | None) -> AsyncIterator[str]:
    """Decisions after this inquiry and number as JSON lines, at most `limit`."""
    count = 0
    async for one in store.decisions.in_order(inquiry_id):
        if (one.inquiry_id, one.n) <= (inquiry_id, n):
            continue
        if count == limit:
            return
        count += 1
        yield json.dumps(summary(one), ensure_ascii=False) + "\n"


async def with_first(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for line in rest:
        yield line
