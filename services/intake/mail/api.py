"""The operators' routes for the mails of an inquiry, as they came."""

from typing import Self

from fastapi import APIRouter, Response

from services.intake.mail_store import MailStore
from shared.contracts.documented import Documented
from shared.http.parameters import EventId, InquiryId
from shared.http.problems import Problem, shown
from shared.http.protected import Check, protected_routes
from shared.runtime import timestamps
from shared.store.mongo import Document

MEDIA_TYPE = "message/rfc822"


class MailKept(Documented):
    """A mail that became a message or an addition."""

    event_id: str
    """The id of the message or the addition, as the decision on it names its cause."""
    received_at: str
    """When intake got it (RFC 3339, UTC, milliseconds)."""
    size: int
    """Its size in bytes."""
    files: list[str]
    """The names of the files in it."""

    @classmethod
    def of(cls, stored: Document) -> Self:
        return cls(
            event_id=stored["event_id"],
            received_at=timestamps.to_text(stored["received_at"]),
            size=len(stored["raw"]),
            files=[one["name"] for one in stored["files"]],
        )


class MailsKept(Documented):
    """The mails of an inquiry."""

    mails: list[MailKept]
    """The mails, oldest first; none after an erasure."""


def mail_routes(mails: MailStore, check: Check) -> APIRouter:
    api = protected_routes("operators", check, 401, 404, 429)

    @api.get("/inquiries/{inquiry_id}/mails", summary="The mails that became part of an inquiry")
    async def list_mails(inquiry_id: InquiryId) -> MailsKept:
        return MailsKept(mails=[MailKept.of(one) for one in await mails.of(inquiry_id)])

    @api.get(
        "/inquiries/{inquiry_id}/mails/{event_id}",
        response_class=Response,
        responses={200: {"content": {MEDIA_TYPE: {}}, "description": "The mail, byte for byte."}},
        summary="A mail as it came",
    )
    async def raw_mail(inquiry_id: InquiryId, event_id: EventId) -> Response:
        for one in await mails.of(inquiry_id):
            if one["event_id"] == event_id:
                name = f'attachment; filename="{inquiry_id}.eml"'
                return Response(bytes(one["raw"]), media_type=MEDIA_TYPE, headers={"Content-Disposition": name})
        raise Problem(404, f"There is no mail {shown(event_id)} of {shown(inquiry_id)}.")

    return api
