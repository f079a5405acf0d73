"""Cities that publish automatically, and the steps after a release: publication, corrections, retractions."""

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex, city_index
from shared.city import City, Policy
from shared.contracts.case_commands import CaseHide, CasePublish, CaseRedact, CaseRetract
from shared.contracts.department_outbox import PartCorrected
from shared.contracts.envelope import Payload
from shared.contracts.resident_inputs import HallReported
from tests.builders import CITY, Step, part_of
from tests.releasing import HOURS

REVIEWER = 801
H1, H2 = "1" * 64, "2" * 64
"""Hashes of two masked versions, which the router cannot verify."""


def publishing_city(revision: int = 1, *reviewed: str) -> City:
    """CITY, whose hall shows replies without a review, except those with a part of these departments."""
    policies: list[Policy] = [Policy(id="automatic", publication="automatic", **HOURS)]
    if reviewed:
        policies.insert(0, Policy.model_validate({"id": "reviewed", "when": {"departments": reviewed}, **HOURS}))
    return CITY.model_copy(update={"policies": tuple(policies), "revision": revision})


AUTOMATIC: CityIndex = city_index(publishing_city())


def _of_reviewer(payload: Payload) -> Step:
    return Step(lambda case: payload.model_copy(update={"inquiry_id": case.inquiry_id}), user=REVIEWER, role="approver")


def published(text_hash: str = H1, why: str | None = None) -> Step:
    """A reviewer publishes a masked version."""
    return _of_reviewer(CasePublish(inquiry_id="", text_hash=text_hash, why=why, by="审核员"))


def hidden(text_hash: str | None = H1, why: str = "有人可被认出") -> Step:
    """A reviewer hides the inquiry."""
    return _of_reviewer(CaseHide(inquiry_id="", text_hash=text_hash, why=why, by="审核员"))


def redacted(find: str = "三单元", text_hash: str = H1, why: str | None = None) -> Step:
    """A reviewer hides words of a masked version."""
    return _of_reviewer(CaseRedact(inquiry_id="", text_hash=text_hash, find=find, why=why, by="审核员"))


def reported(words: str | None = "这里有我的名字") -> Step:
    """A reader of the hall reports the entry."""
    return Step(lambda case: HallReported(inquiry_id=case.inquiry_id, words=words))


def corrected(department: str, text: str, *, user: int | None = None, by_city: bool = False) -> Step:
    """A department corrects its share: through its outbox, or as this clerk; with `by_city`, a coordinator does."""

    def payload(case: Case) -> Payload:
        return PartCorrected(part_id=part_of(case, department), text=text, by="更正人")

    role = None if user is None else "coordinator" if by_city else "clerk"
    return Step(payload, None if by_city else department, user=user, role=role)


def retracted(department: str | None = None, words: str = "依据有误") -> Step:
    """A coordinator retracts the reply, or the share of one department."""

    def payload(case: Case) -> Payload:
        part_id = part_of(case, department) if department else None
        return CaseRetract(inquiry_id=case.inquiry_id, words=words, part_id=part_id, by="协调员")

    return Step(payload, user=REVIEWER, role="coordinator")
