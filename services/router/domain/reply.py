"""The joint reply of a case: its paragraphs, its frame, and the approvals it waits for."""

from hashlib import sha256
from typing import NamedTuple

from services.router.domain.part import Author
from services.router.domain.words import Text


class ReplyParagraph(NamedTuple):
    """One part's paragraph in a joint reply. `before` is the separator and the heading in front of `text`."""

    part_id: str
    department: str
    name: str
    before: str
    text: Text
    files: tuple[str, ...] = ()


class ReplyFrame(NamedTuple):
    """What the lead adds around the paragraphs, and their order by department; empty for the lead first."""

    opening: Text | None = None
    closing: Text | None = None
    order: tuple[str, ...] = ()
    authors: frozenset[Author] = frozenset()


NO_FRAME = ReplyFrame()


class JointReply(NamedTuple):
    """One version of the joint reply. Department names are those of the moment when it was composed."""

    id: str
    version: int
    round: int
    text: Text
    paragraphs: tuple[ReplyParagraph, ...]
    frame: ReplyFrame = NO_FRAME

    @property
    def files(self) -> tuple[str, ...]:
        """The files of all paragraphs, in their order: an approval names them."""
        return tuple(file_id for one in self.paragraphs for file_id in one.files)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the UTF-8 text, in hexadecimal: an approval names it."""
        return sha256(self.text.text.encode()).hexdigest()


class PendingRelease(NamedTuple):
    """The newest version of the joint reply waits for approvals. `approved_by`: the numbers of the users so far."""

    approvers: int
    approved_by: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        return len(self.approved_by) >= self.approvers
