"""Facts of the whole inquiry."""

from typing import NamedTuple

from services.router.domain.facts.fields import (
    Area,
    Channel,
    CityId,
    DepartmentCode,
    FileId,
    Language,
    PartId,
    Satisfied,
    Time,
    TriageReason,
)
from shared.contracts.commitments import Commitment


class Registered(NamedTuple):
    """Intake accepted a resident's message. `named`: the departments that the resident chose and the city has."""

    channel: Channel
    language: Language
    public: bool
    confidential: bool
    received_at: Time
    area: Area | None = None
    named: tuple[DepartmentCode, ...] = ()
    subject: Commitment | None = None
    body: Commitment | None = None
    files: tuple[FileId, ...] = ()


class Triaged(NamedTuple):
    """The inquiry, or the part `part_id` of it, waits for an assignment by hand; with `arbitration` for an arbiter."""

    reason: TriageReason
    part_id: PartId | None = None
    department: DepartmentCode | None = None
    until: Time | None = None


class Assigned(NamedTuple):
    """Departments handle the inquiry. `rule` is None when a person assigned it."""

    lead: DepartmentCode
    co_handlers: tuple[DepartmentCode, ...]
    rule: CityId | None
    policy_id: CityId
    round: int
    why: Commitment | None = None


class Rated(NamedTuple):
    """The resident rated the answer of a round."""

    round: int
    solved: bool
    satisfied: Satisfied
    words: Commitment | None = None


class LinkRequested(NamedTuple):
    """Somebody who knows the ticket number asked for the link to the ticket."""
