"""Extensions of a part's due time: asked for by a department, granted or refused at the desk."""

from typing import ClassVar

from pydantic import Field, field_validator

from shared.contracts.case_commands import Person
from shared.contracts.department_outbox import PartMessage
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Moment, has_words, no_nul
from shared.contracts.limits import REASON_MAX


class PartExtensionAsked(PartMessage):
    """The department asks for more time to resolve its part."""

    type: ClassVar[str] = PREFIX + "part.extension-asked"
    until: Moment
    """The due time that the department asks for: RFC 3339, with a time zone, later than its resolve clock."""
    reason: str = Field(min_length=1, max_length=REASON_MAX)
    """Why the department needs more time, 1 to 2,000 characters. The resident does not see it."""

    _reason = field_validator("reason")(has_words("write why more time is needed"))


class CaseExtend(Payload):
    """Grant the extension that a department has asked for."""

    type: ClassVar[str] = PREFIX + "case.extend"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    part_id: str
    """The id of the part, such as `20261122-E94NXPQX-p1`."""
    until: Moment | None = None
    """The new due time; null for the one that the department asked for."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id")(no_nul)


class CaseRefuseExtension(Payload):
    """Refuse the extension that a department has asked for."""

    type: ClassVar[str] = PREFIX + "case.refuse-extension"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    part_id: str
    """The id of the part, such as `20261122-E94NXPQX-p1`."""
    reason: str = Field(min_length=1, max_length=REASON_MAX)
    """Why, 1 to 2,000 characters; the department receives it."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id")(no_nul)
    _words = field_validator("reason")(has_words("write the reason"))


class PartExtended(Payload):
    """The department has more time: its resolve clock runs out at the new time."""

    type: ClassVar[str] = PREFIX + "part.extended"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    until: Moment
    """When the department must have sent its final contribution."""


class PartExtensionRefused(Payload):
    """The department does not get more time; its due times stay."""

    type: ClassVar[str] = PREFIX + "part.extension-refused"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    reason: str
    """Why the city does not give more time."""
