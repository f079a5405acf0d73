"""Event bodies: the fields of each event type that the scorer and the notifier use; other fields are ignored.

Plain dataclasses with explicit checks instead of pydantic models: the scorer reads thousands of events a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple, Self

from shared.clocks.deadlines import CLOCKS
from shared.contracts.envelope import PREFIX
from shared.runtime import timestamps

VALUE_SHOWN = 60


@dataclass(frozen=True, slots=True)
class PartEvent:
    """The fields that every event about one part has."""

    type: ClassVar[str]
    part_id: str
    department: str

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(_text(data, "part_id"), _text(data, "department"))


class DueTimes(NamedTuple):
    """The due time of each clock of a part, in UTC; in the order of CLOCKS."""

    accept: datetime
    first_reply: datetime
    resolve: datetime


@dataclass(frozen=True, slots=True)
class PartOfferedEvent(PartEvent):
    """A department was offered a part; its clocks start."""

    type = PREFIX + "part.offered"
    role: str
    due: DueTimes

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(_text(data, "part_id"), _text(data, "department"), _text(data, "role"), _due(data))


class PartAcceptedEvent(PartEvent):
    """The department accepted its part."""

    __slots__ = ()
    type = PREFIX + "part.accepted"


class PartContributedEvent(PartEvent):
    """The department sent its contribution."""

    __slots__ = ()
    type = PREFIX + "part.contributed"


class PartReturnedEvent(PartEvent):
    """The department returned its part."""

    __slots__ = ()
    type = PREFIX + "part.returned"


class PartWithdrawnEvent(PartEvent):
    """An operator withdrew the part."""

    __slots__ = ()
    type = PREFIX + "part.withdrawn"


class InquiryRepliedEvent(PartEvent):
    """A department sent the resident an interim reply."""

    __slots__ = ()
    type = PREFIX + "inquiry.replied"


@dataclass(frozen=True, slots=True)
class PartExtendedEvent(PartEvent):
    """The department has more time: its resolve clock runs out at `until`."""

    type = PREFIX + "part.extended"
    until: datetime

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(_text(data, "part_id"), _text(data, "department"), _moment(data, "until", inside=""))


@dataclass(frozen=True, slots=True)
class InquiryPausedEvent:
    """The clocks of these parts pause, because the resident was asked."""

    type = PREFIX + "inquiry.paused"
    parts: tuple[str, ...]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(tuple(_text(one, "part_id") for one in _rows(data, "parts")))


@dataclass(frozen=True, slots=True)
class InquiryResumedEvent:
    """The clocks of these parts run again; the due times are those from now on."""

    type = PREFIX + "inquiry.resumed"
    due: tuple[tuple[str, DueTimes], ...]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(tuple((_text(one, "part_id"), _due(one)) for one in _rows(data, "parts")))


@dataclass(frozen=True, slots=True)
class InquiryAnsweredEvent:
    """The joint reply of a round was released; `parts` are the ids of the parts in it."""

    type = PREFIX + "inquiry.answered"
    round: int
    parts: tuple[str, ...]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(_number(data, "round"), _parts(data))


@dataclass(frozen=True, slots=True)
class InquirySupplementedEvent:
    """An addendum to the answer of a round was released; `parts` are the ids of the parts in it."""

    type = PREFIX + "inquiry.supplemented"
    round: int
    parts: tuple[str, ...]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(_number(data, "round"), _parts(data))


@dataclass(frozen=True, slots=True)
class InquiryRatedEvent:
    """The resident rated the answer of a round."""

    type = PREFIX + "inquiry.rated"
    round: int
    solved: bool
    satisfied: str

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        solved = data.get("solved")
        if not isinstance(solved, bool):
            raise _invalid(data, "solved", "true or false")
        return cls(_number(data, "round"), solved, _text(data, "satisfied"))


@dataclass(frozen=True, slots=True)
class InquiryReopenedEvent:
    """The rating of the last answer began this round."""

    type = PREFIX + "inquiry.reopened"
    round: int

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(_number(data, "round"))


@dataclass(frozen=True, slots=True)
class InquiryErasedEvent:
    """The words of decisions 1 to `through` are erased."""

    type = PREFIX + "inquiry.erased"
    through: int

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(_number(data, "through"))


@dataclass(frozen=True, slots=True)
class InquiryLinkedEvent:
    """The inquiry is about the same matter as the inquiry `linked_to`."""

    type = PREFIX + "inquiry.linked"
    linked_to: str

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(_text(data, "linked_to"))


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event of a type that this release does not know, or whose fields no reader uses."""


OTHER = OtherEvent()
EventBody = (
    PartOfferedEvent
    | PartAcceptedEvent
    | PartContributedEvent
    | PartReturnedEvent
    | PartWithdrawnEvent
    | InquiryRepliedEvent
    | PartExtendedEvent
    | InquiryPausedEvent
    | InquiryResumedEvent
    | InquiryAnsweredEvent
    | InquirySupplementedEvent
    | InquiryRatedEvent
    | InquiryReopenedEvent
    | InquiryErasedEvent
    | InquiryLinkedEvent
    | OtherEvent
)
KNOWN = (
    PartOfferedEvent,
    PartAcceptedEvent,
    PartContributedEvent,
    PartReturnedEvent,
    PartWithdrawnEvent,
    InquiryRepliedEvent,
    PartExtendedEvent,
    InquiryPausedEvent,
    InquiryResumedEvent,
    InquiryAnsweredEvent,
    InquirySupplementedEvent,
    InquiryRatedEvent,
    InquiryReopenedEvent,
    InquiryErasedEvent,
    InquiryLinkedEvent,
)
READERS = {one.type: one.read for one in KNOWN}


def event_body(type_: str, data: Mapping[str, Any]) -> EventBody:
    """Read the body of an event; `type_` includes the prefix `chorus.`. Raises ValueError for an invalid field."""
    read = READERS.get(type_)
    return OTHER if read is None else read(data)


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise _invalid(data, name, "text")
    return value


def _number(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _invalid(data, name, "a whole number")
    return value


def _parts(data: Mapping[str, Any]) -> tuple[str, ...]:
    parts = data.get("parts")
    if not isinstance(parts, list) or not all(isinstance(one, str) for one in parts):
        raise _invalid(data, "parts", "a list of part ids")
    return tuple(parts)


def _due(data: Mapping[str, Any]) -> DueTimes:
    due = data.get("due")
    if not isinstance(due, Mapping):
        raise _invalid(data, "due", "an object with a time for each clock")
    return DueTimes(*[_moment(due, name) for name in CLOCKS])


def _rows(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = data.get(name)
    if not isinstance(rows, list) or not all(isinstance(one, Mapping) for one in rows):
        raise _invalid(data, name, "a list of objects")
    return rows


def _moment(due: Mapping[str, Any], clock: str, inside: str = "due.") -> datetime:
    try:
        return timestamps.from_text(due[clock]).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _invalid(due, clock, "a time like 2026-11-22T09:12:16.123Z", inside) from error


def _invalid(data: Mapping[str, Any], name: str, needed: str, inside: str = "") -> ValueError:
    if name not in data:
        return ValueError(f"{inside}{name} is missing; it must be {needed}.")
    return ValueError(f"{inside}{name} {data[name]!r:.{VALUE_SHOWN}} must be {needed}.")
