"""Facts of a joint reply that goes out before every part is in, and of what follows it."""

from typing import NamedTuple

from services.router.domain.facts.fields import DepartmentCode, PartId


class Omitted(NamedTuple):
    """The lead goes ahead without this part, which is late. The part stays open, and so do its clocks."""

    part_id: PartId
    department: DepartmentCode


class Supplemented(NamedTuple):
    """An addendum to the answer of a round is released. `parts`: the ids of the parts in it."""

    round: int
    addendum: int
    parts: tuple[PartId, ...]
