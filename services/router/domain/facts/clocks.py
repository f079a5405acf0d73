"""Facts that timers record."""

from typing import NamedTuple

from services.router.domain.facts.fields import (
    Clock,
    DepartmentCode,
    PartId,
    Time,
)


class DueSoon(NamedTuple):
    """The department was reminded: this clock of its part runs out at `due_at`."""

    part_id: PartId
    department: DepartmentCode
    clock: Clock
    due_at: Time


class Broken(NamedTuple):
    """The clock ran past its due time.

    With `gate_behind`, a message that the department sent before may come later. The verdict compares recorded times.
    """

    part_id: PartId
    department: DepartmentCode
    clock: Clock
    due_at: Time
    gate_behind: bool = False
