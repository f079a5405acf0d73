"""Reads the inquiries in triage for the desk: what waits, why, and since when."""

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter

from services.router.desk.triage_responses import TriagePage, TriageReasonShown, TriageShown
from services.router.domain.decision import Decision, case_of
from services.router.domain.triage import reasons
from services.router.stores.store import RouterStore
from shared.http.parameters import After, PageSize
from shared.http.query_fields import unknown_place
from shared.runtime import timestamps
from shared.store.mongo import Document


def add_routes(api: APIRouter, store: RouterStore) -> None:
    @api.get("/triage", summary="Inquiries that wait for an assignment by hand, oldest first, with the reasons")
    async def triage(after: After = None, limit: PageSize = 100) -> TriagePage:
        return await triage_page(store, after, limit, timestamps.now())


async def triage_page(store: RouterStore, after: str | None, limit: int, now: datetime) -> TriagePage:
    """The inquiries in triage after the inquiry `after`. Raises Problem 404 when `after` is unknown."""
    start = None
    if after is not None and (start := await store.cases.row(after)) is None:
        raise unknown_place(after)
    rows = await store.cases.in_triage(start, limit + 1)
    decisions = await store.decisions.of_many([row["_id"] for row in rows[:limit]])
    found = [waiting(row, decisions[row["_id"]], now) for row in rows[:limit]]
    return TriagePage(
        inquiries=found,
        waiting=await store.cases.count_in_triage(),
        next=found[-1].inquiry_id if len(rows) > limit else None,
    )


def waiting(row: Document, decisions: Sequence[Decision], now: datetime) -> TriageShown:
    """One row of the list of cases, with the texts and reasons of the case's decisions."""
    case = case_of(row["_id"], decisions)
    inquiry, received_at = case.inquiry, row.get("received_at")
    age = now - timestamps.from_text(received_at) if received_at else None
    return TriageShown(
        inquiry_id=case.inquiry_id,
        subject=(inquiry.subject.text or None) if inquiry else None,
        area=inquiry.area if inquiry else None,
        channel=inquiry.channel if inquiry else row.get("channel"),
        received_at=received_at,
        age_s=max(0, int(age.total_seconds())) if age else 0,
        departments=tuple(part.department for part in case.active_parts),
        reasons=[TriageReasonShown(**one._asdict()) for one in reasons(case, decisions)],
    )
