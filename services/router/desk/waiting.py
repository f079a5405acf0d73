"""Reads what waits for the decisions of a user: a list of each kind, the message received first at the top."""

from collections.abc import Mapping, Sequence

from services.router.desk.department_view import has_part
from services.router.desk.waiting_responses import WaitingCase, WaitingList, WaitingLists
from services.router.domain.case import Case
from services.router.domain.decision import Decision, case_of
from services.router.domain.staff import StaffUser
from services.router.domain.waiting import WAITING_KINDS, WaitingKind, extensions_asked, waiting_in
from services.router.stores.store import RouterStore
from services.router.users.rights import COMMANDS, judge
from shared.http.query_fields import unknown_place
from shared.store.mongo import Document

DECIDED_BY: Mapping[WaitingKind, str] = {
    "extension": "extend",
    "arbitration": "arbitrate",
    "release": "approve",
    "publication": "publish",
}
"""The command that decides about each kind: whoever may send it has the list."""
OVERVIEW = 20
"""The most cases of each list when all lists are asked for."""


async def waiting_lists(
    store: RouterStore, who: StaffUser, kind: str | None, after: str | None, limit: int
) -> WaitingLists:
    """The lists of the user's role, or the one of this kind after the case `after`.

    Raises Problem 403 for a kind about which the role does not decide, and 404 when `after` is unknown.
    """
    for wanted in WAITING_KINDS:
        if wanted == kind:
            judge(who.role, DECIDED_BY[wanted])
            return WaitingLists(lists=[await _list(store, who, wanted, await _start(store, who, after), limit)])
    kinds = [one for one in WAITING_KINDS if who.role in COMMANDS[DECIDED_BY[one]].roles]
    return WaitingLists(lists=[await _list(store, who, one, "", min(limit, OVERVIEW)) for one in kinds])


async def _start(store: RouterStore, who: StaffUser, after: str | None) -> str:
    """The place behind the case `after`."""
    if after is None:
        return ""
    row = await store.cases.row(after)
    if row is not None and who.department is not None:
        case = case_of(after, await store.decisions.of(after))
        row = row if any(part.department == who.department for part in case.parts.values()) else None
    if row is None:
        raise unknown_place(after)
    return f"{row.get('place', '')}!"


async def _list(store: RouterStore, who: StaffUser, kind: WaitingKind, start: str, limit: int) -> WaitingList:
    query: Document = {"waits": kind} | ({"departments": who.department} if who.department is not None else {})
    rows = await store.cases.oldest_first(query, start, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    decisions = await store.decisions.of_many([row["_id"] for row in rows])
    cases = [_entry(row["_id"], decisions[row["_id"]], kind, who) for row in rows]
    shown = [one for one in cases if one is not None]
    return WaitingList(kind=kind, cases=shown, next=rows[-1]["_id"] if more else None)


def _entry(inquiry_id: str, decisions: Sequence[Decision], kind: WaitingKind, who: StaffUser) -> WaitingCase | None:
    """What waits in the case as it is now; None when it has been decided, and the list does not know yet."""
    case = case_of(inquiry_id, sorted(decisions, key=lambda one: one.n))
    inquiry = case.inquiry
    if inquiry is None or kind not in waiting_in(case):
        return None
    if who.department is not None and not has_part(case, who.department):
        return None
    part_ids, until = _about(case, kind)
    pending, reply = (case.pending, case.reply) if kind == "release" else (None, None)
    return WaitingCase(
        inquiry_id=inquiry_id,
        subject=inquiry.subject.text or None,
        area=inquiry.area,
        received_at=inquiry.received_at,
        lead=case.lead,
        part_ids=part_ids,
        until=until,
        text_hash=reply.sha256 if reply is not None else None,
        approvals=len(pending.approved_by) if pending is not None else None,
        approvers=pending.approvers if pending is not None else None,
    )


def _about(case: Case, kind: WaitingKind) -> tuple[list[str], str | None]:
    if kind == "extension":
        asked = extensions_asked(case)
        until = [part.extension.until for part in asked if part.extension is not None]
        return [part.id for part in asked], min(until)
    if kind == "arbitration" and case.arbitration is not None:
        return list(case.arbitration.part_ids), case.arbitration.until
    return [], None
