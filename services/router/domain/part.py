"""One department's part of a case."""

from typing import Literal, NamedTuple

from services.router.domain import facts
from services.router.domain.words import Text

PartState = Literal["offered", "accepted", "contributed", "returned", "withdrawn"]
OPEN = ("offered", "accepted")
ACTIVE = (*OPEN, "contributed")


class PartReturn(NamedTuple):
    """Why a department returned its part: the reason as the department wrote it, and its words, empty when erased.

    `number` counts the returns of the inquiry.
    """

    reason: str
    words: Text
    number: int


class Arbitration(NamedTuple):
    """The case waits for an arbiter because of these returned parts; `until` is None when the policy sets no time."""

    part_ids: tuple[str, ...]
    until: str | None


class Author(NamedTuple):
    """Who wrote a text: a staff user by number, or with `user` None anybody at the department, which uses Kafka.

    `department` is None for a user of the whole city.
    """

    department: str | None
    user: int | None


class Part(NamedTuple):
    """One department's share of the inquiry: `text` is its final contribution, `draft` its newest draft.

    The department may return it until `return_until`, if that is set, and never when it is `binding`.
    """

    id: str
    department: str
    role: facts.Role
    due: facts.DueTexts
    state: PartState = "offered"
    text: Text | None = None
    draft: str | None = None
    policy_id: str = ""
    returned: PartReturn | None = None
    return_until: str | None = None
    binding: bool = False
    author: Author | None = None
    """Who wrote `text`."""
    files: tuple[str, ...] = ()
    """The files of the final contribution."""

    @property
    def active(self) -> bool:
        """Whether the part counts for the joint reply: it is open or contributed, not returned or withdrawn."""
        return self.state in ACTIVE
