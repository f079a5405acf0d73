"""Validates residents' messages and ratings, and builds tickets, without I/O."""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, field_validator

from services.intake.responses import AdditionShown, DepartmentShown, RatingShown, RoundShown, Ticket, TimelineEntry
from shared.contracts.documented import Documented
from shared.contracts.fields import blank_is_none, has_words, no_nul
from shared.contracts.ids import DEPARTMENT_CODE, digest
from shared.contracts.limits import (
    ADDITION_MAX,
    ADDITIONS_AND_ANSWERS_MAX,
    ADDITIONS_MAX,
    BODY_MAX,
    DEPARTMENTS_MAX,
    SUBJECT_MAX,
    TEXT_MAX,
    WHY_MAX,
)
from shared.contracts.resident_inputs import InquiryRated, InquiryReceived
from shared.contracts.resident_messages import OpenQuestion, Reply
from shared.runtime.languages import Lang
from shared.runtime.translations import gettext_noop, translations

CHANNELS = ("web", "hotline", "window", "microblog", "app", "email", "wechat", "import")
OPEN_CHANNELS = ("web", "app", "wechat", "microblog", "email", "hotline", "window")
"""The channels that anybody may name. It is a claim and gives no rights. Every other channel needs the operator's token."""
CHANNEL = re.compile(r"(?!.*[0-9]{6})[a-z][a-z0-9-]*")
"""A channel is part of public events, so it must not contain a telephone number: at most 5 digits in a row."""
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\x80-\U0010ffff]+"
LABEL = r"[A-Za-z0-9\-\x80-\U0010ffff]+"
EMAIL = re.compile(rf"(?!.*=\?)(?=[^@]{{1,64}}@){ATOM}(?:\.{ATOM})*@{LABEL}(?:\.{LABEL})+")
"""A plain address. It must not contain `=?`, which starts an encoded word: mail programs decode it in headers."""
PHONE = re.compile(r"[0-9+()\-./ #*xX转]{3,40}")
Optional40 = Annotated[str | None, Field(max_length=40)]


def a_code(text: str) -> str:
    """The code. Raises ValueError for a text that is not a department code, even before intake knows a city."""
    if not DEPARTMENT_CODE.fullmatch(text):
        raise ValueError("is not a department code; write one such as water-supply (a-z, 0-9 and -)")
    return text


DepartmentCode = Annotated[str, AfterValidator(a_code)]


class ContactGiven(Documented):
    """Name, telephone number and e-mail address of the resident; each is optional."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: Annotated[str | None, Field(max_length=100)] = None
    """The resident's name, at most 100 characters."""
    phone: Optional40 = None
    """A telephone number: 3 to 40 digits, spaces and punctuation."""
    email: Annotated[str | None, Field(max_length=254)] = None
    """An e-mail address, at most 254 characters; the resident receives news about the inquiry there."""

    _no_nul = field_validator("name", "phone", "email")(no_nul)

    _blank = field_validator("name", "phone", "email", mode="before")(blank_is_none)

    @field_validator("phone")
    @classmethod
    def _is_phone(cls, given: str | None) -> str | None:
        if given is None:
            return None
        number = unicodedata.normalize("NFKC", given).strip()
        if not PHONE.fullmatch(number) or sum(character.isdigit() for character in number) < 3:
            raise ValueError("is not a telephone number; write digits, for example 138 0000 0000")
        return number

    @field_validator("email")
    @classmethod
    def _is_email(cls, given: str | None) -> str | None:
        if given is None:
            return None
        address = given.strip()
        if not EMAIL.fullmatch(address) or not address.isprintable():
            raise ValueError("is not an e-mail address; write one such as name@mail.example")
        return address


class Submission(Documented):
    """The body of `POST /inquiries`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    subject: Annotated[str, Field(min_length=1, max_length=SUBJECT_MAX)]
    """A subject line, 1 to 200 characters, not blank."""
    body: Annotated[str, Field(min_length=1, max_length=BODY_MAX)]
    """The message, 1 to 20,000 characters, not blank."""
    channel: Annotated[str, Field(min_length=1, max_length=31)] = "web"
    """How the message came in: `web`, `app`, `wechat`, `microblog`, `email`, `hotline` or `window`. With the operator's
    token any other name, such as `import`; public events show names that are not standard as `other`."""
    area: Annotated[str | None, Field(max_length=100)] = None
    """The area or district of the problem, at most 100 characters."""
    contact: ContactGiven | None = None
    """How to reach the resident."""
    departments: Annotated[tuple[DepartmentCode, ...], Field(max_length=DEPARTMENTS_MAX)] = ()
    """The codes of at most 20 departments that the resident chooses, the lead first; without any, the rules choose."""
    public: StrictBool = False
    """Whether the message and its answer may be published, with personal data masked."""
    confidential: StrictBool = False
    """Whether the departments must not see the contact."""
    language: Lang | None = None
    """The language of the answer; without one, the best match of Accept-Language, else Chinese."""
    external_id: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    """The message's id in another system, at most 200 characters; needs the operator's token. A message with the same
    channel and id is a repeat."""

    _no_nul = field_validator("channel", "area", "external_id")(no_nul)
    _blank_area = field_validator("area", mode="before")(blank_is_none)
    _words = field_validator("subject", "body")(has_words("write some words"))

    @field_validator("channel")
    @classmethod
    def _is_channel(cls, given: str) -> str:
        if not CHANNEL.fullmatch(given):
            raise ValueError(f"is not a channel; write one such as {', '.join(OPEN_CHANNELS)}")
        return given

    @field_validator("departments")
    @classmethod
    def _once_each(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(given))


class RatingGiven(Documented):
    """The body of `POST /inquiries/{id}/rating`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    round: Annotated[int, Field(ge=1, le=1_000, strict=True)]
    """The round that is rated; it must be the current one and answered."""
    solved: StrictBool
    """Whether the problem is solved."""
    satisfied: Literal["yes", "mostly", "no"]
    """Whether the resident is satisfied: `yes`, `mostly` or `no`."""
    words: Annotated[str | None, Field(max_length=TEXT_MAX)] = None
    """A comment, at most 20,000 characters."""

    _no_nul = field_validator("words")(no_nul)
    _blank_words = field_validator("words", mode="before")(blank_is_none)


class AdditionGiven(Documented):
    """The body of `POST /inquiries/{id}/additions`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    text: Annotated[str, Field(min_length=1, max_length=ADDITION_MAX)]
    """What the resident adds, 1 to 5,000 characters, not blank."""

    _words = field_validator("text")(has_words("write what you want to add"))


class WithdrawalGiven(Documented):
    """The body of `POST /inquiries/{id}/withdrawal`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    why: Annotated[str | None, Field(max_length=WHY_MAX)] = None
    """The reason, at most 2,000 characters; the departments read it."""

    _no_nul = field_validator("why")(no_nul)
    _blank_why = field_validator("why", mode="before")(blank_is_none)


SORTED = json.JSONEncoder(sort_keys=True)


def fingerprint(given: Submission | RatingGiven | AdditionGiven | WithdrawalGiven) -> str:
    """The SHA-256 of a body; a repeat has the same one.

    Leaves out fields with their default values, so that a later version with more fields computes the same fingerprint.
    """
    return digest(SORTED.encode(given.model_dump(mode="json", exclude_defaults=True)).encode())


def channel_label(channel: str) -> str:
    """The label of a channel in metrics: its name if it is in CHANNELS, else `other`."""
    return channel if channel in CHANNELS else "other"


RECEIVED = gettext_noop("Your message has been received.")
"""The first entry of a timeline until the core has registered the message."""


@dataclass(frozen=True, slots=True)
class TicketUpdate:
    """A message to the resident, with the case as it was then; `at` is RFC 3339 in UTC.

    `n`, the number of the decision, and `place`, the offset in the topic, order the updates of an inquiry.
    """

    n: int
    place: int
    at: str
    what: str
    text: str
    state: str
    round: int
    departments: tuple[DepartmentShown, ...]
    reply: Reply | None
    questions: tuple[OpenQuestion, ...] = ()


ENDED = ("answered", "withdrawn", "refused", "erased")
"""The states in which nothing can be added. A ticket that is closed without a reply is opened again by an addition."""
AWAITING_ANSWER = ("assigned", "in-progress", "awaiting-release", "reopened")
"""The states in which an answer is due. In triage the inquiry has no lead, and so no due time."""
ONLY_MAILED = "link"
"""The `what` of updates that tell nothing new to somebody who has opened the ticket."""


def answer_due_at(state: str, departments: Sequence[DepartmentShown]) -> str | None:
    """By when the answer is due: the latest due time of the departments, because the answer needs all of them."""
    if state not in AWAITING_ANSWER:
        return None
    return max((one.due_at for one in departments if one.due_at), default=None)


def takes_additions(state: str, reply: Reply | None, questions: Sequence[OpenQuestion], number: int) -> bool:
    """Whether the resident may add something in this state, to a ticket with this number of additions.

    A department that the answer left out may still ask.
    """
    if questions:
        return number < ADDITIONS_AND_ANSWERS_MAX
    return number < ADDITIONS_MAX and state not in ENDED and not (state == "closed" and reply is not None)


def answered_rounds(said: Iterable[TicketUpdate]) -> list[RoundShown]:
    """The answered rounds of these updates, which are in order: of each, the time of its answer and its newest reply."""
    rounds: dict[int, RoundShown] = {}
    for one in said:
        if one.reply is not None:
            known = rounds.get(one.round)
            answered_at = known.answered_at if known else one.at
            rounds[one.round] = RoundShown(round=one.round, answered_at=answered_at, reply=one.reply)
    return [rounds[one] for one in sorted(rounds)]


def ticket(
    received: InquiryReceived,
    at: str,
    updates: Sequence[TicketUpdate],
    ratings: Sequence[InquiryRated],
    additions: Sequence[AdditionShown] = (),
) -> Ticket:
    """The ticket: the state of the newest update, and the updates as the timeline, oldest first.

    `received` is the resident's message and `at` its time; `updates` and `ratings` are in any order.
    """
    said = sorted(updates, key=lambda one: (one.n, one.place))
    text = translations(received.language).gettext(RECEIVED)
    first = TicketUpdate(0, 0, at, "registered", text, "registered", 1, (), None)
    newest = said[-1] if said else first
    timeline = [one for one in said if one.what != ONLY_MAILED] or [first]
    # Words that the core has not decided yet answer the questions all the same.
    questions = [] if additions and additions[-1].at >= newest.at else list(newest.questions)
    given = sorted(ratings, key=lambda one: one.round)
    return Ticket(
        inquiry_id=received.inquiry_id,
        subject=received.subject,
        body=received.body,
        area=received.area,
        public=received.public,
        confidential=received.confidential,
        language=received.language,
        state=newest.state,
        round=newest.round,
        departments=list(newest.departments),
        answer_due_at=answer_due_at(newest.state, newest.departments),
        timeline=[TimelineEntry(at=one.at, text=one.text) for one in timeline],
        reply=newest.reply,
        questions=questions,
        additions=list(additions),
        can_add=takes_additions(newest.state, newest.reply, questions, len(additions)),
        rounds=answered_rounds(said),
        rated=[one.round for one in given],
        ratings=[RatingShown(**one.model_dump(exclude={"inquiry_id"})) for one in given],
    )
