"""Questions to the resident, the resident's additions, and what departments receive of both."""

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from shared.contracts.case_commands import Person
from shared.contracts.department_outbox import PartMessage
from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Due, Moment, has_words
from shared.contracts.limits import ADDITION_MAX, QUESTION_MAX

QuestionText = Annotated[str, Field(min_length=1, max_length=QUESTION_MAX)]
AdditionText = Annotated[str, Field(min_length=1, max_length=ADDITION_MAX)]


class InquiryAdded(Payload):
    """The resident adds words to an inquiry: the answer to a question, or something new."""

    type: ClassVar[str] = PREFIX + "inquiry.added"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    text: AdditionText
    """The resident's words, 1 to 5,000 characters."""

    _words = field_validator("text")(has_words("write what you want to add"))


class PartAsked(PartMessage):
    """The department asks the resident; the clocks of its part pause until the answer."""

    type: ClassVar[str] = PREFIX + "part.asked"
    text: QuestionText
    """The question, 1 to 2,000 characters, sent to the resident unchanged."""

    _words = field_validator("text")(has_words("write the question to the resident"))


class CaseAsk(Payload):
    """Ask the resident for the whole inquiry; the clocks of all open parts pause until the answer."""

    type: ClassVar[str] = PREFIX + "case.ask"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    text: QuestionText
    """The question, 1 to 2,000 characters, sent to the resident unchanged."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _words = field_validator("text")(has_words("write the question to the resident"))


class QuestionAnswered(Documented):
    """A question that was open when the resident added words."""

    department: str | None
    """The code of the department that asked; null when the city's staff asked for the whole inquiry."""
    text: str
    """The question."""


class PartPaused(Payload):
    """The clocks of the part pause, because the resident was asked; `part.resumed` ends the pause."""

    type: ClassVar[str] = PREFIX + "part.paused"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    asked_by: str | None
    """The code of the department that asked; null when the city's staff asked for the whole inquiry."""
    text: str
    """The question."""
    close_at: Moment
    """When the inquiry is closed if the resident has not answered."""


class PartResumed(Payload):
    """The resident has answered: the clocks of the part run again, with the working time that they had left."""

    type: ClassVar[str] = PREFIX + "part.resumed"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    due: Due
    """The due times of the part's clocks from now on."""
    return_until: Moment | None = None
    """Until when the department may return the part from now on. Absent when the policy sets no time."""


class PartAdded(Payload):
    """The resident added words to the inquiry. Every department with an active part receives them once."""

    type: ClassVar[str] = PREFIX + "part.added"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    text: str
    """The resident's words, at most 5,000 characters."""
    asked: tuple[QuestionAnswered, ...] = ()
    """The questions that these words answer. Absent when nobody had asked."""
