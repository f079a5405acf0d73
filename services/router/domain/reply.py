"""The joint reply of a case: its paragraphs, its frame, and the approvals it waits for."""

from hashlib import sha256
from typing import Literal, NamedTuple

from services.router.domain.facts import Satisfied
from services.router.domain.part import Author
from services.router.domain.words import Text


class ReplyParagraph(NamedTuple):
    """One part's paragraph in a joint reply. `before` is the separator and the heading in front of `text`."""

    part_id: str
    department: str
    name: str
    before: str
    text: Text
    author: Author | None = None


class TextChange(NamedTuple):
    """A part of a released reply was corrected or retracted at this time.

    `text` is the former text of a corrected part, or the reason of a retraction. `by_city`: a coordinator corrected it.
    """

    what: Literal["corrected", "retracted"]
    at: str
    round: int
    part_id: str
    department: str
    name: str
    text: Text
    by_city: bool = False


class ReplyFrame(NamedTuple):
    """What the lead adds around the paragraphs, and their order by department; empty for the lead first."""

    opening: Text | None = None
    closing: Text | None = None
    order: tuple[str, ...] = ()
    authors: frozenset[Author] = frozenset()

    @property
    def texts(self) -> dict[str, str]:
        """The opening and the closing, each only if there is one."""
        texts = {"opening": self.opening, "closing": self.closing}
        return {name: one.text for name, one in texts.items() if one is not None}


NO_FRAME = ReplyFrame()


class JointReply(NamedTuple):
    """One version of the joint reply, or of an addendum to it, which `addendum` counts from 1.

    Department names are those of the moment when it was composed.
    """

    id: str
    version: int
    round: int
    text: Text
    paragraphs: tuple[ReplyParagraph, ...]
    frame: ReplyFrame = NO_FRAME
    addendum: int = 0

    @property
    def part_ids(self) -> tuple[str, ...]:
        """The ids of the parts in it, in the order of their paragraphs."""
        return tuple(one.part_id for one in self.paragraphs)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the UTF-8 text, in hexadecimal: an approval names it."""
        return sha256(self.text.text.encode()).hexdigest()

    def paragraph(self, part_id: str) -> ReplyParagraph | None:
        """The paragraph of a part; None when the reply has none."""
        return next((one for one in self.paragraphs if one.part_id == part_id), None)


class Addendum(NamedTuple):
    """A released addendum, and when it was released."""

    reply: JointReply
    at: str


class AnsweredRound(NamedTuple):
    """The answer of an earlier round with its addenda, and when the resident got it."""

    round: int
    answered_at: str
    reply: JointReply
    addenda: tuple[Addendum, ...] = ()

    @property
    def text(self) -> str:
        """Everything that the resident read as the answer, in order."""
        return "\n\n".join((self.reply.text.text, *(one.reply.text.text for one in self.addenda)))


class RoundRating(NamedTuple):
    """The resident's rating of a round; `words` is None when the resident wrote none."""

    round: int
    solved: bool
    satisfied: Satisfied
    words: Text | None


class PendingRelease(NamedTuple):
    """The newest version of the joint reply waits for approvals. `approved_by`: the numbers of the users so far.

    A correction is `released` once it has its approvals.
    """

    approvers: int
    approved_by: tuple[int, ...] = ()
    released: bool = False

    @property
    def complete(self) -> bool:
        return len(self.approved_by) >= self.approvers
