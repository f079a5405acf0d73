"""Offers the desk the earlier inquiries that a case may repeat, so that a person can link them."""

import asyncio
from datetime import timedelta
from typing import Literal

from fastapi import APIRouter

from services.router.domain.decision import case_of
from services.router.domain.resubmissions import WITHIN, EarlierInquiry, Sign, likely_resubmissions
from services.router.stores.store import RouterStore
from shared.contracts.documented import Documented
from shared.http.parameters import InquiryId
from shared.http.problems import Problem, shown
from shared.runtime import timestamps

COMPARED_MAX = 1_000
"""How many earlier inquiries are compared, the newest first: reading more would keep the desk waiting."""


class ResubmissionShown(Documented):
    """An earlier inquiry that the case may repeat."""

    inquiry_id: str
    """The ticket number of the earlier inquiry."""
    subject: str
    """Its subject line."""
    received_at: str
    """When intake received it (RFC 3339, UTC, milliseconds)."""
    signs: list[Literal["same-phone", "same-email", "same-text", "similar-text"]]
    """What the two have in common."""
    linked: bool
    """Whether the case is linked to it already."""


class ResubmissionsShown(Documented):
    """The earlier inquiries that a case may repeat."""

    likely: list[ResubmissionShown]
    """Inquiries of the 30 days before, the one with the most signs first, then the newest."""
    compared: int
    """How many inquiries were compared."""
    complete: bool
    """Whether these are all of the 30 days; otherwise the newest 1,000."""


def add_routes(api: APIRouter, store: RouterStore) -> None:
    @api.get("/cases/{inquiry_id}/resubmissions", summary="Earlier inquiries that this one may repeat")
    async def resubmissions(inquiry_id: InquiryId) -> ResubmissionsShown:
        return await find_resubmissions(store, inquiry_id)


async def find_resubmissions(store: RouterStore, inquiry_id: str, within: timedelta = WITHIN) -> ResubmissionsShown:
    """Compare a case with the inquiries received before it. Raises Problem 404 for an inquiry that is not registered."""
    case = case_of(inquiry_id, (await store.decisions.of_many([inquiry_id]))[inquiry_id])
    if case.inquiry is None:
        raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")
    until = case.inquiry.received_at
    since = timestamps.to_text(timestamps.from_text(until) - within)
    rows = await store.cases.received_between(since, until, COMPARED_MAX + 2)
    ids = [row["_id"] for row in rows if row["_id"] != inquiry_id]
    compared = await store.decisions.inquiries(ids[:COMPARED_MAX])
    earlier = [EarlierInquiry(*one) for one in compared.items()]
    # In a thread: comparing a thousand long texts takes a second, and the core decides in the same event loop.
    found = await asyncio.to_thread(likely_resubmissions, case.inquiry, earlier, within)
    return ResubmissionsShown(
        likely=[
            ResubmissionShown(
                inquiry_id=one.inquiry_id,
                subject=compared[one.inquiry_id].subject.text,
                received_at=compared[one.inquiry_id].received_at,
                signs=list[Sign](one.signs),
                linked=one.inquiry_id in case.links,
            )
            for one in found
        ],
        compared=len(compared),
        complete=len(ids) <= COMPARED_MAX,
    )
