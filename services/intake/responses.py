"""The body of a ticket."""

from typing import Literal

from shared.contracts.documented import Documented
from shared.contracts.erasure_dates import ErasureDates
from shared.contracts.resident_messages import OpenQuestion, Reply


class DepartmentShown(Documented):
    """A department that handles the inquiry, as the resident sees it."""

    code: str
    """The department's code."""
    name: str
    """The department's name, in the language of the inquiry."""
    role: str
    """Whether the department leads: `lead` or `co-handler`."""
    state: str
    """The state of the department's part, such as `offered` or `accepted`."""
    due_at: str | None
    """When the department's resolve clock runs out (RFC 3339, UTC, milliseconds); null when there is no due time."""


class TimelineEntry(Documented):
    """An update that the resident received."""

    at: str
    """When it happened (RFC 3339, UTC, milliseconds)."""
    text: str
    """The text of the update, in the language of the inquiry."""


class RatingShown(Documented):
    """A rating that the resident gave."""

    round: int
    """The round that was rated."""
    solved: bool
    """Whether the problem is solved."""
    satisfied: Literal["yes", "mostly", "no"]
    """Whether the resident is satisfied: `yes`, `mostly` or `no`."""
    words: str | None
    """The resident's comment; null when not given."""


class AdditionShown(Documented):
    """What the resident added at one time."""

    at: str
    """When it was received (RFC 3339, UTC, milliseconds)."""
    text: str
    """What the resident wrote."""


class RoundShown(Documented):
    """A round that is answered."""

    round: int
    """The number of the round, counted from 1."""
    answered_at: str
    """When the resident got the reply (RFC 3339, UTC, milliseconds)."""
    reply: Reply
    """The joint reply of the round."""


class WithdrawalShown(Documented):
    """That the resident has withdrawn the message."""

    at: str
    """When the resident withdrew it (RFC 3339, UTC, milliseconds)."""
    why: str | None
    """The resident's reason; null when not given."""


class LinkAnswer(Documented):
    """The answer to a request for the link to a ticket; it is the same whether or not the ticket exists."""

    detail: str
    """What happens next, in the language of the request."""


class ReportAnswer(Documented):
    """The answer to a report about an entry of the hall; it is the same whether or not the hall has the entry."""

    detail: str
    """What happens next, in the language of the request."""


class Ticket(Documented):
    """A ticket: the resident's message and its status."""

    inquiry_id: str
    """The ticket number."""
    subject: str
    """The subject line as the resident wrote it."""
    body: str
    """The message as the resident wrote it."""
    area: str | None
    """The place as the resident wrote it; null when not given."""
    public: bool
    """Whether the resident agreed to publication."""
    confidential: bool
    """Whether the departments must not see the contact; a confidential message is never published."""
    language: Literal["zh", "en"]
    """The language in which the resident is answered."""
    state: str
    """The state of the inquiry, such as `registered`, `triage`, `in-progress` or `answered`."""
    round: int
    """The current round, counted from 1."""
    departments: list[DepartmentShown]
    """The departments that handle the inquiry; empty until it is assigned."""
    answer_due_at: str | None
    """By when the answer is due (RFC 3339, UTC, milliseconds): the latest due time of the departments. Null before the
    inquiry is assigned, and after the answer."""
    timeline: list[TimelineEntry]
    """The updates that the resident received, oldest first."""
    reply: Reply | None
    """The joint reply of the current round; null before it is released."""
    rounds: list[RoundShown]
    """The rounds that are answered, with their replies, in ascending order."""
    questions: list[OpenQuestion]
    """The questions that wait for the resident's answer; an addition answers all of them."""
    additions: list[AdditionShown]
    """What the resident has added, oldest first."""
    can_add: bool
    """Whether the resident may add something now."""
    rated: list[int]
    """The rounds that the resident has rated, in ascending order."""
    ratings: list[RatingShown]
    """The ratings that the resident gave, by round."""
    withdrawal: WithdrawalShown | None = None
    """The resident's newest withdrawal; null when there is none. It has an effect unless the message was answered before."""
    erasure: ErasureDates | None = None
    """When the message was erased, and when the last copies are gone. Null for other messages. Of an erased message the
    ticket has no texts any more."""
