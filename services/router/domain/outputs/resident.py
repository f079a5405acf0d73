"""What the resident is told of each fact, with all of the case that a resident may see."""

from collections.abc import Mapping
from typing import TypedDict

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact
from services.router.domain.outputs.joint_reply import ReplyFields, joint_reply
from services.router.domain.outputs.sentences import HandlerFields, sentence
from shared.contracts.fields import Contact

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


class PictureFields(TypedDict):
    """All of a case that its resident may see, as `contracts.resident_messages.Picture` reads it."""

    state: str
    round: int
    subject: str
    language: str
    departments: list[HandlerFields]
    reply: ReplyFields | None


class AnsweredPicture(PictureFields):
    """With an answer goes the message that it answers, for the hall."""

    body: str


class ToldFields(TypedDict):
    """The fields of `resident.told`."""

    inquiry_id: str
    what: str
    text: str
    contact: Contact | None
    public: bool
    case: PictureFields


def resident_message(case: Case, fact: Fact, picture: PictureFields, directory: CityIndex) -> ToldFields | None:
    """What the resident is told of a fact; None for a fact that is not told."""
    what, inquiry = WHAT.get(type(fact)), case.inquiry
    if what is None or inquiry is None:
        return None
    shown: PictureFields = picture
    if what == "answered":
        answered: AnsweredPicture = {**picture, "body": inquiry.body}
        shown = answered
    reply = picture["reply"]
    return {
        "inquiry_id": case.inquiry_id,
        "what": what,
        "text": sentence(case, fact, picture["departments"], reply["text"] if reply else "", directory),
        "contact": inquiry.contact,
        "public": inquiry.shown_in_hall,
        "case": shown,
    }


def picture_of(case: Case, directory: CityIndex) -> PictureFields | None:
    """All of the case that its resident may see; None before there is one."""
    inquiry = case.inquiry
    if inquiry is None:
        return None
    return {
        "state": case.state,
        "round": case.round,
        "subject": inquiry.subject,
        "language": inquiry.language,
        "departments": [
            {
                "code": part.department,
                "name": directory.name(part.department, inquiry.language),
                "role": part.role,
                "state": part.state,
                "due_at": part.due.resolve,
            }
            for part in case.active_parts
        ],
        "reply": joint_reply(case, inquiry.language, directory) if case.status == "answered" else None,
    }
