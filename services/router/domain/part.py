"""One department's part of a case."""

from typing import Literal, NamedTuple

from services.router.domain import facts
from services.router.domain.question import ExtensionRequest, Pause
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
    omitted: bool = False
    """Whether the lead went ahead without the part. A contribution ends it."""
    parent: str | None = None
    """The part of which this one is a piece, when the department above delegated it."""
    instructions: Text | None = None
    """What the department wrote when it delegated last; of a delegated part, what it was given."""
    pause: Pause | None = None
    """Set while the part waits for the resident."""
    moved_at: str | None = None
    """When a due time moved last, by a pause or an extension; None while they are those of the offer."""
    extension: ExtensionRequest | None = None
    """The extension for which the department has asked and on which the desk has not decided."""
    round: int = 1
    former: bool = False
    """Whether the part is in the answer of an earlier round, and has nothing to do with the one that runs."""

    @property
    def open(self) -> bool:
        """Whether the department still has to contribute."""
        return self.state in OPEN

    @property
    def active(self) -> bool:
        """Whether the part counts for the joint reply: it is open or contributed, not returned, withdrawn or former."""
        return self.state in ACTIVE and not self.former
