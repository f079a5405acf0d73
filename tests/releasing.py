"""Cities whose replies need approvals, and the steps of a release."""

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex, city_index
from shared.city import City, Policy
from shared.city.policies import PolicyConditions, ReleasePolicy
from shared.contracts.case_commands import CaseApprove, CaseRefuseRelease
from shared.contracts.department_outbox import ReplyEdit
from shared.contracts.envelope import Payload
from shared.contracts.ids import digest
from tests.builders import CITY, Step, part_of

HOURS = {"accept_h": 24, "first_reply_h": 72, "resolve_h": 360}
FIRST, SECOND = 701, 702
"""The numbers of two approvers of the whole city."""


def a_policy(id_: str, approvers: int, *departments: str) -> Policy:
    """A policy of CITY's clocks; with `departments` for their parts only."""
    when = PolicyConditions(departments=departments)
    return Policy(id=id_, when=when, release=ReleasePolicy(approvers=approvers), **HOURS)


def city_with(*policies: Policy) -> CityIndex:
    return city_index(CITY.model_copy(update={"policies": policies}))


def releasing_city(approvers: int, revision: int = 1) -> City:
    return CITY.model_copy(update={"policies": (a_policy("standard", approvers),), "revision": revision})


ONE, TWO = (city_index(releasing_city(approvers)) for approvers in (1, 2))
"""CITY with one and with two approvers."""


def hash_of(case: Case) -> str:
    """The SHA-256 of the newest version of the reply, computed from its text."""
    return digest(case.reply.text.text.encode()) if case.reply else "0" * 64


def approved(user: int = FIRST, *, department: str | None = None, text_hash: str | None = None) -> Step:
    """An approver approves the newest version, or the text with this hash."""

    def payload(case: Case) -> Payload:
        return CaseApprove(inquiry_id=case.inquiry_id, text_hash=text_hash or hash_of(case), by="审定人")

    return Step(payload, department, user=user, role="approver")


def release_refused(words: str = "请写明完工日期", *, part_of_department: str | None = None, user: int = FIRST) -> Step:
    """An approver returns the reply, or the part of one department."""

    def payload(case: Case) -> Payload:
        part_id = part_of(case, part_of_department) if part_of_department else None
        return CaseRefuseRelease(inquiry_id=case.inquiry_id, words=words, part_id=part_id, by="审定人")

    return Step(payload, user=user, role="approver")


def reply_edited(
    department: str | None = "lighting",
    *,
    opening: str | None = None,
    closing: str | None = None,
    order: tuple[str, ...] | None = None,
    user: int | None = None,
) -> Step:
    """The lead edits the reply: through its outbox, or as this clerk at the desk."""

    def payload(case: Case) -> Payload:
        return ReplyEdit(inquiry_id=case.inquiry_id, opening=opening, closing=closing, order=order)

    return Step(payload, department, user=user, role=None if user is None else "clerk" if department else "coordinator")
