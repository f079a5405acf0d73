"""The route of worklists, and the worklist of a department: its open parts, the one that is due next first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from services.router.desk.case_filters import chosen
from services.router.desk.returned_before import returned_before
from services.router.desk.waiting import waiting_lists
from services.router.desk.waiting_responses import WaitingLists
from services.router.desk.worklist_responses import WorklistPage, WorklistPart
from services.router.domain.decision import Decision, case_of
from services.router.domain.part import OPEN
from services.router.domain.staff import StaffUser
from services.router.domain.waiting import WAITING_KINDS
from services.router.domain.worklist import MARKS, history_of, marks_of
from services.router.stores.store import RouterStore
from services.router.stores.worklist import OpenPart
from services.router.users.guard import Who
from shared.contracts.department_inbox import ReturnedBefore
from shared.contracts.ids import inquiry_of
from shared.http.parameters import After, PageSize
from shared.http.problems import FieldProblem, Problem, shown
from shared.http.query_fields import unknown_place
from shared.runtime import timestamps

OF_ALL_DEPARTMENTS = ("coordinator", "operator")
READ_AT_ONCE = 50
EXAMINED_MAX = 500
"""The most parts that are read for one page; with a mark that few parts have, the page then ends early."""


def add_routes(api: APIRouter, store: RouterStore) -> None:
    @api.get(
        "/worklist",
        summary="A department's open parts, the one that is due next first; or what waits for your decision, by kind",
    )
    async def worklist(
        who: Who,
        department: Annotated[
            str | None, Query(description="The code of a department; for a clerk, the one of the user.")
        ] = None,
        mark: Annotated[str | None, Query(description=f"Only parts with this mark: {', '.join(MARKS)}.")] = None,
        kind: Annotated[
            str | None, Query(description=f"Only the list of this kind: {', '.join(WAITING_KINDS)}. `after` needs it.")
        ] = None,
        after: After = None,
        limit: PageSize = 100,
    ) -> WorklistPage | WaitingLists:
        [wanted_mark] = chosen("mark", [mark], MARKS) if mark is not None else (None,)
        [wanted_kind] = chosen("kind", [kind], WAITING_KINDS) if kind is not None else (None,)
        if _is_of_department(who, department, mark, kind, after):
            code = await requested_department(store, department, who)
            return await worklist_page(store, code, wanted_mark, after, limit, timestamps.now())
        return await waiting_lists(store, who, wanted_kind, after, limit)


def _is_of_department(
    who: StaffUser, department: str | None, mark: str | None, kind: str | None, after: str | None
) -> bool:
    """Whether the open parts of a department are asked for, and not what waits for the user's decision.

    Raises Problem 422 for a `kind` of a department, and a `mark` or an `after` of no list.
    """
    if who.role == "clerk" or department is not None:
        if kind is not None:
            raise _wrong("kind", "kind is for users who decide, without a department; leave it out, or use mark")
        return True
    if mark is not None:
        raise _wrong("department", "department is missing; write the code of the department whose worklist you want")
    if after is not None and kind is None:
        raise _wrong("kind", "kind is missing; write the kind of the list that `after` continues")
    return False


async def requested_department(store: RouterStore, department: str | None, who: StaffUser) -> str:
    """The department whose worklist the user asks for. Raises Problem 403 for another one than the user's own, and 422."""
    if who.role not in (*OF_ALL_DEPARTMENTS, "clerk"):
        allowed = ", ".join(("clerk", *OF_ALL_DEPARTMENTS))
        raise Problem(
            403, f"The role {who.role!r} may not read the worklist of a department; allowed roles: {allowed}."
        )
    if who.department is not None:
        if department not in (None, who.department):
            raise Problem(
                403,
                f"The role {who.role!r} may read the worklist of its own department only; allowed roles for others: "
                f"{', '.join(OF_ALL_DEPARTMENTS)}.",
            )
        return who.department
    city = await store.revisions.latest()
    if department is None or city is None or department not in {one.code for one in city.departments}:
        raise _wrong("department", f"the city has no department {shown(department)}")
    return department


def _wrong(field: str, detail: str) -> Problem:
    sentence = f"{detail[0].upper()}{detail[1:]}."
    return Problem(422, sentence, [FieldProblem(pointer=f"/{field}", detail=detail)])


async def worklist_page(
    store: RouterStore, department: str, mark: str | None, after: str | None, limit: int, now: datetime
) -> WorklistPage:
    """The department's open parts after the place `after`. Raises Problem 404 when `after` is unknown."""
    if after is not None and not await _is_place(store, department, after):
        raise unknown_place(after)
    page = WorklistPage(department=department, parts=[], next=None)
    place, examined = after or "", 0
    until = timestamps.to_text(now) if mark == "overdue" else None
    while parts := await store.worklist.page(department, place, READ_AT_ONCE, until):
        decisions = await store.decisions.of_many(list(dict.fromkeys(one.inquiry_id for one in parts)))
        for part in parts:
            entry = entry_of(part, decisions[part.inquiry_id], now)
            if entry is not None and mark in (None, *entry.marks):
                if len(page.parts) == limit:
                    page.next = place
                    return page
                page.parts.append(entry)
            place, examined = part.place, examined + 1
        if examined >= EXAMINED_MAX:
            page.next = place
            return page
    return page


def entry_of(listed: OpenPart, decisions: Sequence[Decision], now: datetime) -> WorklistPart | None:
    """A part of the worklist as its case has it now; None when it is no longer open, and the list does not know yet."""
    decisions = sorted(decisions, key=lambda one: one.n)
    case = case_of(listed.inquiry_id, decisions)
    part, inquiry = case.parts.get(listed.part_id), case.inquiry
    if part is None or inquiry is None or part.state not in OPEN or part.department != listed.department:
        return None
    returned = returned_before(case, decisions).get(part.id, ())
    history = history_of(part.id, decisions)
    running, marks = marks_of(case, part.id, history, now, returned=bool(returned))
    return WorklistPart(
        part_id=part.id,
        inquiry_id=case.inquiry_id,
        subject=inquiry.subject.text or None,
        area=inquiry.area,
        received_at=inquiry.received_at,
        role=part.role,
        state=part.state,
        due={one.clock: one.due_at for one in running},
        next_due=running[0].due_at if running else None,
        marks=marks,
        refused_because=history.refused_because,
        returned=[ReturnedBefore(**one) for one in returned],
    )


async def _is_place(store: RouterStore, department: str, place: str) -> bool:
    """Whether a page can have ended with this place: its part is or was the department's. Its due time may have moved."""
    due_at, _, part_id = place.partition("/")
    inquiry_id = inquiry_of(part_id)
    if inquiry_id is None or not due_at:
        return False
    part = case_of(inquiry_id, await store.decisions.of(inquiry_id)).parts.get(part_id)
    return part is not None and part.department == department
