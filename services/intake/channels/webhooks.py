"""The route for gateways: what a channel sends, signed, once for each `webhook-id`."""

import hmac
import secrets
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response

from services.intake.additions import Additions
from services.intake.channels.webhook_bodies import (
    BODIES,
    AboutTicket,
    ChannelAddition,
    ChannelBody,
    ChannelInquiry,
    ChannelRating,
)
from services.intake.sentences import NO_SUCH_TICKET
from services.intake.submissions import Receipt, Submissions
from services.intake.tickets import Acknowledged, Tickets
from shared.channels.gateways import Gateway
from shared.channels.signatures import ID, is_signed
from shared.contracts import ids
from shared.contracts.resident_inputs import InquiryReceived
from shared.http.problems import FieldProblem, Problem, documented, shown
from shared.http.rate_limit import RateLimit, client_of
from shared.http.request_body import body_of, json_body, json_document, parsed
from shared.ledger.relay import erased

WRONG_SIGNATURES = 30
WRONG_SIGNATURES_PERIOD_S = 60
ID_MAX = 200
NOT_SIGNED = (
    "This channel is unknown, or the message is not signed with its key less than five minutes ago: send the headers "
    "webhook-id, webhook-timestamp and webhook-signature of Standard Webhooks."
)
ChannelName = Annotated[str, Path(description="The name of the channel, as in the file of channels.")]
WebhookId = Annotated[
    str | None, Header(description="The id of the message, at most 200 characters; a repeat has the same one.")
]
WebhookTimestamp = Annotated[str | None, Header(description="When it is sent, in seconds since 1970.")]
WebhookSignature = Annotated[
    str | None, Header(description="`v1,` and the HMAC-SHA256 of id, timestamp and body, in base64.")
]


@dataclass
class ChannelMessages:
    """Takes what gateways send, with the rights of the resident behind the account."""

    submissions: Submissions
    tickets: Tickets
    additions: Additions
    secret: bytes

    async def take(self, channel: str, id_: str, given: ChannelBody) -> tuple[Receipt | Acknowledged, bool]:
        """Accept a message. Returns the answer, and True for a repeat of a new message. Safe to repeat with the same id.

        Raises Problem: 404 for a ticket that this account has not written, and what the routes for residents raise.
        """
        key = self.key(channel, id_)
        if isinstance(given, ChannelInquiry):
            return await self.submissions.receive(given.submission(channel), None, key, trusted=True)
        inquiry_id = await self._ticket_of(channel, given)
        code = ids.query_code(self.secret, inquiry_id)
        if isinstance(given, ChannelAddition):
            return await self.additions.add(inquiry_id, code, given.given(), key), False
        if isinstance(given, ChannelRating):
            return await self.tickets.rate(inquiry_id, code, given.given()), False
        return await self.tickets.withdraw(inquiry_id, code, given.given(), key), False

    def key(self, channel: str, id_: str) -> str:
        """The key of a message. Only intake can compute it, so nobody takes it first as an `Idempotency-Key`."""
        return hmac.digest(self.secret, f"chorus/webhook/{channel}/{id_}".encode(errors="replace"), "sha256").hex()

    async def _ticket_of(self, channel: str, given: AboutTicket) -> str:
        """The ticket number, if this account at this channel wrote its message; else it looks unknown."""
        number = ids.typed_inquiry_id(given.inquiry_id)
        entries = await self.tickets.ledger.of(number) if number is not None else []
        if number is None or not entries or erased(entries[0]):
            raise Problem(404, NO_SUCH_TICKET)
        received = InquiryReceived.model_validate_json(entries[0]["value"])
        wrote = f"{received.channel}\n{received.account}".encode()
        asks = f"{channel}\n{given.account}".encode(errors="replace")
        if received.account is None or not hmac.compare_digest(wrote, asks):
            raise Problem(404, NO_SUCH_TICKET)
        return number


def channel_routes(messages: ChannelMessages, gateways: Mapping[str, Gateway]) -> APIRouter:
    api = APIRouter(tags=["channels"])
    wrong = RateLimit(WRONG_SIGNATURES, WRONG_SIGNATURES_PERIOD_S)
    # A message to an unknown channel is compared too, so that it takes as long as one with a wrong signature.
    nobody = Gateway("", (b64encode(secrets.token_bytes(32)).decode(),))

    @api.post(
        "/channels/{name}/messages",
        status_code=202,
        openapi_extra=body_of(*BODIES.values()),
        responses=documented(401, 404, 408, 409, 413, 415, 422, 429, 503),
        summary="A message from the gateway of a channel",
        description="The answer to a new message has its ticket number, query code and status address, all other "
        "answers have an `event_id`.",
    )
    async def take(
        name: ChannelName,
        request: Request,
        response: Response,
        webhook_id: WebhookId = None,
        webhook_timestamp: WebhookTimestamp = None,
        webhook_signature: WebhookSignature = None,
    ) -> Receipt | Acknowledged:
        body = await json_body(request)
        if not is_signed(gateways.get(name, nobody), request.headers, body):
            _count_wrong(wrong, request)
            raise Problem(401, NOT_SIGNED)
        id_ = request.headers[ID]
        if len(id_) > ID_MAX:
            raise Problem(422, f"The webhook-id has {len(id_)} characters; send at most {ID_MAX}.")
        answer, repeated = await messages.take(name, id_, body_given(body))
        if repeated:
            response.headers["Idempotent-Replayed"] = "true"
        return answer

    return api


def _count_wrong(limit: RateLimit, request: Request) -> None:
    """Count a wrong signature. Raises Problem 429 after too many from one address; right ones are never limited."""
    if wait_s := limit.wait_s(client_of(request), time.monotonic()):
        raise Problem(429, f"Too many wrong signatures; try again in {wait_s} s.", headers={"Retry-After": str(wait_s)})


def body_given(body: bytes) -> ChannelBody:
    """The message in a body. Raises Problem 422."""
    document = json_document(body)
    kind = document.get("type") if isinstance(document, dict) else None
    if not isinstance(kind, str) or kind not in BODIES:
        detail = f"type {shown(kind)} is not a message of a channel; write one of {', '.join(BODIES)}"
        raise Problem(422, f"{detail}.", [FieldProblem(pointer="/type", detail=detail)])
    return parsed(BODIES[kind], body)
