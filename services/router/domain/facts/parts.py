"""Facts of one department's part."""

from typing import NamedTuple

from services.router.domain.facts.fields import (
    ActionTaken,
    CityId,
    Clock,
    DepartmentCode,
    DueTexts,
    PartId,
    ReturnReason,
    Role,
    Time,
)
from shared.contracts.commitments import Commitment


class Offered(NamedTuple):
    """A department is offered a part, with the due times of its clocks.

    `policy_id` is None when the part has the policy of the assignment. `provisional` names the clocks whose due time may
    still move, because the public holidays before it are not announced yet. Until `return_until` the department may return
    the part, if the policy limits the time. It can never return a `binding` part. `parent` is the part of which this one
    is a piece, when the department above delegated it.
    """

    part_id: PartId
    department: DepartmentCode
    role: Role
    due: DueTexts
    round: int
    policy_id: CityId | None = None
    provisional: tuple[Clock, ...] = ()
    return_until: Time | None = None
    binding: bool = False
    parent: PartId | None = None


class Changed(NamedTuple):
    """The department keeps its part, in this role, and others have changed. It cannot return a `binding` part."""

    part_id: PartId
    department: DepartmentCode
    role: Role
    binding: bool = False


class Accepted(NamedTuple):
    """The department accepted its part."""

    part_id: PartId
    department: DepartmentCode


class Replied(NamedTuple):
    """A department sent the resident an interim reply."""

    part_id: PartId
    department: DepartmentCode
    text: Commitment | None = None


class Contributed(NamedTuple):
    """The department sent its final contribution to the joint reply."""

    part_id: PartId
    department: DepartmentCode
    text: Commitment | None = None
    actions: tuple[ActionTaken, ...] = ()


class Returned(NamedTuple):
    """The department returned its part. `suggest`: the department of the city that it suggests."""

    part_id: PartId
    department: DepartmentCode
    reason: ReturnReason
    suggest: DepartmentCode | None = None
    words: Commitment | None = None


class Withdrawn(NamedTuple):
    """An operator or a retirement withdrew the part from its department."""

    part_id: PartId
    department: DepartmentCode
    why: Commitment | None = None
