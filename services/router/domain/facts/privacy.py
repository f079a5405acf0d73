"""Facts by which an inquiry ends without an answer, and the link between two inquiries."""

from typing import NamedTuple

from services.router.domain.facts.fields import InquiryId, RefusalReason
from shared.contracts.commitments import Commitment


class CaseRefused(NamedTuple):
    """The city does not take up the inquiry. `instead`: where the resident can turn."""

    reason: RefusalReason
    words: Commitment | None = None
    instead: Commitment | None = None


class CaseWithdrawn(NamedTuple):
    """The resident withdrew the inquiry."""

    why: Commitment | None = None


class CaseErased(NamedTuple):
    """The words and contacts of decisions 1 to `through` are erased in every service."""

    through: int


class CaseLinked(NamedTuple):
    """The inquiry is about the same matter as an earlier one."""

    linked_to: InquiryId
