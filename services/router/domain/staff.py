"""Staff users: an opaque number, a name, a role, and for clerks and some approvers a department."""

from dataclasses import dataclass
from typing import Literal, get_args

from shared.contracts.sources import STAFF

StaffRole = Literal["clerk", "coordinator", "approver", "supervisor", "auditor", "operator"]
STAFF_ROLES: tuple[StaffRole, ...] = get_args(StaffRole)
NEEDS_DEPARTMENT: tuple[StaffRole, ...] = ("clerk",)
MAY_HAVE_DEPARTMENT: tuple[StaffRole, ...] = ("clerk", "approver")
SHARED_ACCOUNT = "operator"
"""The user of the token in CHORUS_OPERATOR_TOKEN_FILE, which several people may share."""


@dataclass(frozen=True, slots=True)
class StaffUser:
    """A user of the desk. Decisions store the number, events the role, and neither the name.

    A user with a department sees the cases of this department only.
    """

    number: int
    name: str
    role: StaffRole
    department: str | None = None

    @property
    def actor(self) -> str:
        """The `ce_actor` of an input from this user."""
        return f"{STAFF}/{self.role}"

    @property
    def is_shared(self) -> bool:
        """Whether several people act as this user, so that they say who they are."""
        return self.name == SHARED_ACCOUNT

    def person(self, said: str | None = None) -> str:
        """The name to record for an act. Only for the shared account, `said` is who uses it."""
        return said if said and self.is_shared else self.name
