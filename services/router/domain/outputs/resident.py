"""The messages to the resident: a sentence for each fact, and the part of the case that a resident may see."""

from collections.abc import Mapping
from typing import NamedTuple, NotRequired, TypedDict

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
    facts.LinkRequested: "link",
    facts.Accepted: "progressed",
    facts.Contributed: "progressed",
    facts.Returned: "progressed",
    facts.Withdrawn: "progressed",
    facts.AwaitingRelease: "progressed",
    facts.ReleaseRefused: "progressed",
}
"""The `what` of `resident.told` for each fact. Residents get no message for a fact that is not here."""


class ParagraphFields(TypedDict):
    """One department's paragraph of the joint reply."""

    department: str
    name: str
    text: str
    files: NotRequired[tuple[str, ...]]


class ReplyFields(TypedDict):
    """The joint reply, with the fields of `resident_messages.Reply` in `shared/contracts`."""

    text: str
    paragraphs: list[ParagraphFields]
    opening: NotRequired[str]
    closing: NotRequired[str]


class PictureFields(TypedDict):
    """The case as its resident may see it, with the fields of `resident_messages.Picture` in `shared/contracts`."""

    state: str
    round: int
    subject: str
    language: str
    departments: list[HandlerFields]
    reply: ReplyFields | None


class SharedPicture(NamedTuple):
    """The picture, and the JSON that all messages to the resident of one decision have in common.

    `shared` begins with the comma before `contact` and ends inside the picture, without its closing brace.
    """

    fields: PictureFields
    shared: bytes


def resident_message(
    case: Case, fact: Fact, words: FactWords, picture: SharedPicture, directory: CityIndex
) -> bytes | None:
    """The JSON of `resident.told` for a fact; None when residents get no message for it.

    An answer also contains the body of the resident's message, which the hall publishes with it.
    """
    what, inquiry = WHAT.get(type(fact)), case.inquiry
    if what is None or inquiry is None:
        return None
    if isinstance(fact, facts.AwaitingRelease) and fact.version > 1:
        # The resident knows it since the first version; how often the reply changes before its release is not for them.
        return None
    reply = picture.fields["reply"]
    handlers = picture.fields["departments"]
    own = as_json(
        {
            "inquiry_id": case.inquiry_id,
            "what": what,
            "text": sentence(case, fact, words, handlers, reply["text"] if reply else "", directory),
        }
    )
    body = b',"body":' + to_json(inquiry.body.text) if what == "answered" else b""
    return b"%b%b%b}}" % (own[:-1], picture.shared, body)


def picture_of(case: Case, directory: CityIndex) -> SharedPicture | None:
    """The case as its resident may see it; None before the message is registered."""
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
    if case.reply is None:
        return None
    fields: ReplyFields = {
        "text": case.reply.text.text,
        "paragraphs": [
            {"department": one.department, "name": one.name, "text": one.text.text} for one in case.reply.paragraphs
        ],
    }
    for fields_of_one, one in zip(fields["paragraphs"], case.reply.paragraphs, strict=True):
        if one.files:
            fields_of_one["files"] = one.files
    if (opening := case.reply.frame.opening) is not None:
        fields["opening"] = opening.text
    if (closing := case.reply.frame.closing) is not None:
        fields["closing"] = closing.text
    return fields
