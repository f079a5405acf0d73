"""The desk's route for messages that staff enter on a resident's behalf: the hotline and the service window."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from services.router.desk.intake_client import IntakeClient
from services.router.users.guard import StaffGuard, Who
from shared.contracts import ids
from shared.contracts.case_commands import Person
from shared.contracts.documented import Documented
from shared.contracts.limits import BODY_MAX, DEPARTMENTS_MAX, SUBJECT_MAX
from shared.http.parameters import IdempotencyKeyHeader
from shared.http.problems import documented
from shared.http.protected import protected_routes
from shared.http.request_body import body_of, limited_body, parsed


class EntryContact(Documented):
    """How to reach the resident; each field is optional."""

    name: Annotated[str | None, Field(max_length=100)] = None
    """The resident's name, at most 100 characters."""
    phone: Annotated[str | None, Field(max_length=40)] = None
    """The resident's telephone number, 3 to 40 digits, spaces and punctuation."""
    email: Annotated[str | None, Field(max_length=254)] = None
    """The resident's e-mail address, at most 254 characters."""


class EntryBody(Documented):
    """A message that a staff user enters for a resident who calls or comes."""

    subject: Annotated[str, Field(min_length=1, max_length=SUBJECT_MAX)]
    """A subject line, 1 to 200 characters, not blank."""
    body: Annotated[str, Field(min_length=1, max_length=BODY_MAX)]
    """The message, 1 to 20,000 characters, not blank."""
    channel: Literal["hotline", "window"]
    """How the resident came: `hotline` or `window`."""
    area: Annotated[str | None, Field(max_length=100)] = None
    """The area or district of the problem, at most 100 characters."""
    contact: EntryContact | None = None
    """How to reach the resident; null when the resident gives nothing."""
    departments: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX)] = ()
    """The codes of at most 20 departments, the lead first; without any, the rules choose."""
    public: Annotated[bool, Field(strict=True)] = False
    """Whether the resident agrees to publish the message and its answer."""
    confidential: Annotated[bool, Field(strict=True)] = False
    """Whether the departments must not see the contact."""
    language: Literal["zh", "en"] = "zh"
    """The language of the answer, `zh` or `en`."""
    by: Person = "operator"
    """Who enters the message, 1 to 100 characters; counts for the token that several people share."""


class Entered(Documented):
    """What the staff user hands over to the resident."""

    inquiry_id: str
    """The ticket number."""
    query_code: str
    """The code that opens the ticket, 12 characters; the desk does not store it."""
    status_url: str
    """The address that opens the ticket. It contains the query code, so only the resident may have it."""


def entry_routes(intake: IntakeClient, guard: StaffGuard) -> APIRouter:
    api = protected_routes("desk", guard.check, 401, 403, 422, 429, 503)

    @api.post(
        "/inquiries",
        status_code=202,
        openapi_extra=body_of(EntryBody),
        responses=documented(408, 409, 413),
        summary="Enter a message on a resident's behalf",
        description="The desk passes it to intake, with the user who enters it. While intake is unavailable the answer is "
        "503; a repeat with the same `Idempotency-Key` is safe.",
    )
    async def enter(request: Request, who: Who, idempotency_key: IdempotencyKeyHeader = None) -> Entered:
        given = parsed(EntryBody, await limited_body(request))
        # Of this user alone: nobody else's key gets this ticket and its code.
        key = ids.named_id(f"entry/{who.number}/{idempotency_key}") if idempotency_key else ids.new_event_id()
        body = given.model_dump(mode="json", exclude={"by"}, exclude_none=True)
        answer = await intake.enter(body, key, who, who.person(given.by))
        return Entered.model_validate_json(answer.content)

    return api
