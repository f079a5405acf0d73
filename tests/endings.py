"""Steps by which a case ends without an answer, and the link between two cases."""

from shared.contracts.case_commands import CaseErase, CaseLink, CaseRefuse
from shared.contracts.resident_inputs import InquiryWithdrawn
from tests.builders import Step, at_the_desk

COORDINATOR, SUPERVISOR = 567890123, 678901234
OTHER = "20260315-0000000B"
COURT = "请向人民法院提起诉讼。"


def refused(
    reason: str = "legal-proceedings", words: str = "双方已进入诉讼程序。", instead: str | None = COURT
) -> Step:
    """A coordinator refuses the inquiry."""
    fields = {"reason": reason, "words": words, "instead": instead, "by": "赵协调"}
    step = Step(lambda case: CaseRefuse.model_validate(fields | {"inquiry_id": case.inquiry_id}))
    return at_the_desk(step, COORDINATOR, "coordinator")


def inquiry_withdrawn(why: str | None = None) -> Step:
    """The resident withdraws the inquiry."""
    return Step(lambda case: InquiryWithdrawn(inquiry_id=case.inquiry_id, why=why))


def erased(why: str = "当事人申请删除") -> Step:
    """A supervisor erases the inquiry."""
    step = Step(lambda case: CaseErase(inquiry_id=case.inquiry_id, why=why, by="钱督办"))
    return at_the_desk(step, SUPERVISOR, "supervisor")


def linked(linked_to: str = OTHER) -> Step:
    """A coordinator links the inquiry to an earlier one."""
    step = Step(lambda case: CaseLink(inquiry_id=case.inquiry_id, linked_to=linked_to, by="赵协调"))
    return at_the_desk(step, COORDINATOR, "coordinator")
