"""What a resident is told, with the state of the case at that moment."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Contact, Moment


class Paragraph(BaseModel):
    """One part of a joint reply, the department's words unchanged."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    department: str
    name: str
    text: str


class Reply(BaseModel):
    """A joint reply: the whole text, and its paragraphs."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    text: str
    paragraphs: tuple[Paragraph, ...]


class Handler(BaseModel):
    """A department as the resident may see it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    code: str
    name: str
    role: str
    state: str
    due_at: Moment | None = None


class Picture(BaseModel):
    """The whole of a case that its resident may see, after one decision."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    state: str
    round: int
    subject: str
    language: Literal["zh", "en"]
    departments: tuple[Handler, ...]
    reply: Reply | None = None
    body: str | None = None


class ResidentTold(Payload):
    """Something a resident is told: what, in which words, and the picture that goes with it."""

    type: ClassVar[str] = PREFIX + "resident.told"
    inquiry_id: str
    what: str
    text: str
    contact: Contact | None = None
    public: bool = False
    case: Picture
