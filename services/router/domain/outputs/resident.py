"""What the resident is told of each fact, with all of the case that a resident may see."""

from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from pydantic_core import to_json

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact
from services.router.domain.outputs.sentences import HandlerFields, sentence
from services.router.domain.words import FactWords
from shared.contracts.envelope import as_json

WHAT: Mapping[type[Fact], str] = {
    facts.Registered: "registered",
    facts.Triaged: "triage",
    facts.Assigned: "assigned",
    facts.Replied: "replied",
    facts.Answered: "answered",
    facts.Rated: "progressed",
    facts.Accepted: "progressed",
    facts.Contributed: "progressed",
    facts.Returned: "progressed",
    facts.Withdrawn: "progressed",
}
"""What `resident.told` calls each fact; a fact that is not here is not told."""


class ParagraphFields(TypedDict):
    """One part of the reply."""

    department: str
    name: str
    text: str


class ReplyFields(TypedDict):
    """The whole text and its paragraphs, as `contracts.resident_messages.Reply` reads them."""

    text: str
    paragraphs: list[ParagraphFields]


class PictureFields(TypedDict):
    """All of a case that its resident may see, as `contracts.resident_messages.Picture` reads it."""

    state: str
    round: int
    subject: str
    language: str
    departments: list[HandlerFields]
    reply: ReplyFields | None


class SharedPicture(NamedTuple):
    """The picture, and what all messages to the resident of one decision have in common: JSON from the contact on.

    It is left open at the end of the picture.
    """

    fields: PictureFields
    shared: bytes


def resident_message(
    case: Case, fact: Fact, said: FactWords, picture: SharedPicture, directory: CityIndex
) -> bytes | None:
    """What the resident is told of a fact, as JSON; None for a fact that is not told.

    With an answer goes the message that it answers, for the hall.
    """
    what, inquiry = WHAT.get(type(fact)), case.inquiry
    if what is None or inquiry is None:
        return None
    reply = picture.fields["reply"]
    handlers = picture.fields["departments"]
    told = as_json(
        {
            "inquiry_id": case.inquiry_id,
            "what": what,
            "text": sentence(case, fact, said, handlers, reply["text"] if reply else "", directory),
        }
    )
    body = b',"body":' + to_json(inquiry.body.text) if what == "answered" else b""
    return b"%b%b%b}}" % (told[:-1], picture.shared, body)


def picture_of(case: Case, directory: CityIndex) -> SharedPicture | None:
    """All of the case that its resident may see; None before there is one."""
    inquiry = case.inquiry
    if inquiry is None:
        return None
    fields: PictureFields = {
        "state": case.state,
        "round": case.round,
        "subject": inquiry.subject.text,
        "language": inquiry.language,
        "departments": [
            {
                "code": part.department,
                "name": directory.name(part.department, inquiry.language),
                "role": part.role,
                "state": part.state,
                "due_at": part.due["resolve"],
            }
            for part in case.active_parts
        ],
        "reply": _reply(case) if case.status == "answered" else None,
    }
    shared = {"contact": inquiry.contact, "public": inquiry.shown_in_hall, "case": fields}
    return SharedPicture(fields, b"," + as_json(shared)[1:-2])


def _reply(case: Case) -> ReplyFields | None:
    """The released reply, as it was composed."""
    if case.reply is None:
        return None
    return {
        "text": case.reply.text.text,
        "paragraphs": [
            {"department": one.department, "name": one.name, "text": one.text.text} for one in case.reply.paragraphs
        ],
    }
