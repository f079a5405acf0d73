"""Facts of a reply after its release: corrections and retractions."""

from typing import NamedTuple

from services.router.domain.facts.fields import DepartmentCode, PartId, ReplyId
from shared.contracts.commitments import Commitment


class CorrectionSent(NamedTuple):
    """A new text for a department's share of a released reply. The released text stays until the new one is released.

    With `by_city`, a coordinator wrote it and not the department.
    """

    part_id: PartId
    department: DepartmentCode
    by_city: bool = False
    text: Commitment | None = None


class Corrected(NamedTuple):
    """This version of the joint reply takes the place of the released one. `parts`: the ids of the parts that differ."""

    reply_id: ReplyId
    version: int
    parts: tuple[PartId, ...]


class Retracted(NamedTuple):
    """These parts of the released reply no longer hold. Their texts stay visible and are marked."""

    reply_id: ReplyId
    version: int
    parts: tuple[PartId, ...]
    words: Commitment | None = None
