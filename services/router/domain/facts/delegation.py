"""Facts of delegation: a department passes its part, or pieces of it, to its own offices."""

from typing import NamedTuple

from services.router.domain.facts.fields import DepartmentCode, PartId
from shared.contracts.commitments import Commitment


class Delegated(NamedTuple):
    """The department passed its part, or pieces of it, to these departments below it, and stays responsible."""

    part_id: PartId
    department: DepartmentCode
    to: tuple[DepartmentCode, ...]
    text: Commitment | None = None
