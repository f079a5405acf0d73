"""The messages to the resident: a sentence for each fact, and the part of the case that a resident may see."""

from collections.abc import Mapping
from typing import NamedTuple, NotRequired, TypedDict

from pydantic_core import to_json

from services.router.domain import facts
from services.router.domain.case import ENDED, Case
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact
from services.router.domain.outputs.sentences import HandlerFields, asker_name, sentence
from services.router.domain.question import open_questions
from services.router.domain.reply import JointReply, ReplyParagraph, TextChange
from services.router.domain.words import FactWords
from shared.contracts.envelope import as_json

WHAT: Mapping[type[Fact], str] = {
    facts.Registered: "registered",
    facts.Triaged: "triage",
    facts.Assigned: "assigned",
    facts.Replied: "replied",
    facts.Answered: "answered",
    facts.Supplemented: "supplemented",
    facts.Rated: "progressed",
    facts.LinkRequested: "link",
    facts.Accepted: "progressed",
    facts.Contributed: "progressed",
    facts.Returned: "progressed",
    facts.Withdrawn: "progressed",
    facts.AwaitingRelease: "progressed",
    facts.ReleaseRefused: "progressed",
    facts.Corrected: "corrected",
    facts.Retracted: "retracted",
    facts.HallPublished: "published",
    facts.HallHidden: "hidden",
    facts.HallRedacted: "redacted",
    facts.Asked: "asked",
    facts.Reminded: "reminded",
    facts.Added: "progressed",
    facts.Closed: "closed",
    facts.Reopened: "reopened",
    facts.Extended: "extended",
    facts.RatingReminded: "rating-reminder",
    facts.CaseRefused: "refused",
    facts.CaseWithdrawn: "withdrawn",
    facts.CaseErased: "erased",
}
"""The `what` of `resident.told` for each fact. Residents get no message for a fact that is not here."""
WITH_BODY = ("answered", "supplemented", "corrected", "retracted")
"""What the hall publishes with the body of the resident's message."""

INTERNAL_ONCE_ANSWERED = (
    facts.Triaged,
    facts.Assigned,
    facts.Accepted,
    facts.Contributed,
    facts.Returned,
    facts.Withdrawn,
    facts.AwaitingRelease,
    facts.ReleaseRefused,
    facts.Extended,
)
"""Facts that concern only late parts once the reply is released. The resident gets the addendum, once."""
ABOUT_ONE_PART = (facts.Accepted, facts.Contributed, facts.Returned, facts.Withdrawn)


class ParagraphFields(TypedDict):
    """One department's paragraph of the joint reply."""

    department: str
    name: str
    text: str
    retracted: NotRequired[bool]


class ChangeFields(TypedDict):
    """A correction or a retraction, with the fields of `resident_messages.ReplyChange`."""

    what: str
    at: str
    department: str
    name: str
    text: str
    by_city: NotRequired[bool]


class ReplyFields(TypedDict):
    """The joint reply, with the fields of `resident_messages.Reply` in `shared/contracts`."""

    text: str
    paragraphs: list[ParagraphFields]
    opening: NotRequired[str]
    closing: NotRequired[str]
    at: NotRequired[str]
    addenda: NotRequired[list[Mapping[str, object]]]
    changes: NotRequired[list[ChangeFields]]


class QuestionFields(TypedDict):
    """A question that waits for the resident, with the fields of `resident_messages.OpenQuestion` in `shared/contracts`."""

    name: str
    text: str
    close_at: str


class PictureFields(TypedDict):
    """The case as its resident may see it, with the fields of `resident_messages.Picture` in `shared/contracts`."""

    state: str
    round: int
    subject: str
    language: str
    departments: list[HandlerFields]
    reply: ReplyFields | None
    questions: NotRequired[list[QuestionFields]]


class SharedPicture(NamedTuple):
    """The picture, and the JSON that all messages to the resident of one decision have in common.

    `shared` begins with the comma before `contact` and ends inside the picture, without its closing brace.
    """

    fields: PictureFields
    shared: bytes


def resident_message(
    case: Case,
    fact: Fact,
    words: FactWords,
    picture: SharedPicture,
    directory: CityIndex,
    *,
    answered_before: bool = False,
) -> bytes | None:
    """The JSON of `resident.told` for a fact; None when residents get no message for it.

    An answer also contains the body of the resident's message, which the hall publishes with it. A decision about the hall
    names the masked version, which the notifier has. `answered_before`: whether the reply of the round was released
    before this decision.
    """
    what, inquiry = WHAT.get(type(fact)), case.inquiry
    if what == "erased":
        return _erased(case.inquiry_id, picture)
    if what is None or inquiry is None:
        return None
    if answered_before and case.is_answered and isinstance(fact, INTERNAL_ONCE_ANSWERED):
        return None
    if isinstance(fact, ABOUT_ONE_PART) and case.parts[fact.part_id].parent is not None:
        # What happens below a department is its own affair; it answers for the whole part.
        return None
    if isinstance(fact, facts.Withdrawn) and case.status in ENDED:
        # The end of the inquiry, which they read in the same moment, says it all.
        return None
    if isinstance(fact, facts.AwaitingRelease) and fact.version > 1:
        # The resident knows it since the first version; how often the reply changes before its release is not for them.
        return None
    reply = case.addenda[-1].reply if isinstance(fact, facts.Supplemented) else case.released
    handlers = picture.fields["departments"]
    own = as_json(
        {
            "inquiry_id": case.inquiry_id,
            "what": what,
            "text": sentence(case, fact, words, handlers, reply.text.text if reply else "", directory),
        }
    )
    body = b',"body":' + to_json(inquiry.body.text) if what in WITH_BODY else b""
    change = hall_change(fact, words)
    hall = b"" if change is None else b',"hall":' + as_json(change)
    return b"%b%b%b}%b}" % (own[:-1], picture.shared, body, hall)


def hall_change(fact: Fact, words: FactWords) -> dict[str, str | None] | None:
    """The field `hall` for the notifier; None for a fact that decides nothing about the hall."""
    match fact:
        case facts.HallPublished() | facts.HallHidden():
            return {"sha256": words.get("text_hash")}
        case facts.HallRedacted():
            return {"sha256": words.get("text_hash"), "find": words.get("words")}
    return None


def _erased(inquiry_id: str, picture: SharedPicture) -> bytes:
    """The message about an erasure, which has neither text nor contact."""
    own = as_json({"inquiry_id": inquiry_id, "what": "erased", "text": ""})
    return b"%b%b}}" % (own[:-1], picture.shared)


def picture_of(case: Case, directory: CityIndex) -> SharedPicture | None:
    """The case as its resident may see it; None before the message is registered. Of an erased one, nothing is left."""
    inquiry = case.inquiry
    if case.status == "erased":
        return _nothing_left(case)
    if inquiry is None:
        return None
    # The resident has the reply: what becomes of a late part, or of an addendum before its release, is not shown.
    answered = case.is_answered
    read = case.released_parts
    fields: PictureFields = {
        "state": "answered" if answered and case.closed is None else case.state,
        "round": case.round,
        "subject": inquiry.subject.text,
        "language": inquiry.language,
        "departments": [
            {
                "code": part.department,
                "name": directory.name(part.department, inquiry.language),
                "role": part.role,
                "state": part.state,
                "due_at": None if part.pause is not None else part.due["resolve"],
            }
            for part in case.active_parts
            if not answered or part.id in read
        ],
        "reply": _reply(case) if answered else None,
    }
    if questions := open_questions(case):
        fields["questions"] = [
            {
                "name": asker_name(one.department, inquiry.language, directory),
                "text": one.text.text,
                "close_at": one.close_at,
            }
            for one in questions
        ]
    shared = {"contact": inquiry.contact, "public": inquiry.shown_in_hall, "case": fields}
    return SharedPicture(fields, b"," + as_json(shared)[1:-2])


def _nothing_left(case: Case) -> SharedPicture:
    fields: PictureFields = {
        "state": case.state,
        "round": case.round,
        "subject": "",
        "language": case.inquiry.language if case.inquiry else "zh",
        "departments": [],
        "reply": None,
    }
    return SharedPicture(fields, b"," + as_json({"contact": None, "public": False, "case": fields})[1:-2])


def _reply(case: Case) -> ReplyFields | None:
    reply = case.released
    if reply is None:
        return None
    fields: ReplyFields = {"text": reply.text.text, "paragraphs": _paragraphs(reply, case)}
    if (opening := reply.frame.opening) is not None:
        fields["opening"] = opening.text
    if (closing := reply.frame.closing) is not None:
        fields["closing"] = closing.text
    if addenda := case.addenda_of_round:
        fields["at"] = case.released_at
        # Without the whole text: the resident reads it in the message of the addendum.
        fields["addenda"] = [
            {"at": one.at, "paragraphs": _paragraphs(one.reply, case), **one.reply.frame.texts} for one in addenda
        ]
    if changes := [change_fields(one) for one in case.changes if one.round == reply.round]:
        fields["changes"] = changes
    return fields


def _paragraph(one: ReplyParagraph, retracted: bool) -> ParagraphFields:
    fields: ParagraphFields = {"department": one.department, "name": one.name, "text": one.text.text}
    if retracted:
        fields["retracted"] = True
    return fields


def change_fields(one: TextChange) -> ChangeFields:
    fields: ChangeFields = {
        "what": one.what,
        "at": one.at,
        "department": one.department,
        "name": one.name,
        "text": one.text.text,
    }
    if one.by_city:
        fields["by_city"] = True
    return fields


def _paragraphs(reply: JointReply, case: Case) -> list[ParagraphFields]:
    return [_paragraph(one, one.part_id in case.retracted) for one in reply.paragraphs]
