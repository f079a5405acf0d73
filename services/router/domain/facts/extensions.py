"""Facts of extensions of a part's due time."""

from typing import NamedTuple

from services.router.domain.facts.fields import DepartmentCode, PartId, Time
from shared.contracts.commitments import Commitment


class ExtensionAsked(NamedTuple):
    """The department asked for more time to resolve its part."""

    part_id: PartId
    department: DepartmentCode
    until: Time
    reason: Commitment | None = None


class Extended(NamedTuple):
    """The desk granted more time: the resolve clock of the part runs out at `until`."""

    part_id: PartId
    department: DepartmentCode
    until: Time


class ExtensionRefused(NamedTuple):
    """The desk did not grant more time."""

    part_id: PartId
    department: DepartmentCode
    reason: Commitment | None = None
