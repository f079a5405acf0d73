"""What each type of input may look like, given the case: mostly as an actor would send it, sometimes illegal.

A new type of input needs an entry in STRATEGIES, or in HANDLING beside it; a test names the types without one.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import NamedTuple

from hypothesis import strategies as st

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.timers import timers_of
from shared.contracts.case_commands import (
    CaseApprove,
    CaseArbitrate,
    CaseAssign,
    CaseAssignFirstReceiver,
    CaseReassign,
    CaseRecallPart,
    CaseRefuseRelease,
    CaseReplay,
    CaseWithdrawPart,
)
from shared.contracts.department_outbox import PartAccepted, PartContributed, PartReplied, PartReturned, ReplyEdit
from shared.contracts.fields import Contact
from shared.contracts.inputs import TimerRang
from shared.contracts.resident_inputs import InquiryLinkRequested, InquiryRated, InquiryReceived
from tests.anyorder.cities import OFFICES
from tests.builders import (
    NAMES,
    Step,
    accepted,
    assigned,
    at_the_desk,
    contributed,
    drafted,
    link_requested,
    part_of,
    rated,
    recalled,
    received,
    replayed,
    replied,
    returned,
    withdrawn,
)
from tests.releasing import approved, release_refused, reply_edited
from tests.returning import REASONS, arbitrated, first_receiver_assigned, reassigned

MARK = "机密"
"""In every text that somebody writes."""
DEPARTMENTS = tuple(NAMES)
NOBODYS = ("no-such-department",)
CLERKS = {department: 100 + at for at, department in enumerate((*DEPARTMENTS, *OFFICES))}
APPROVERS = (201, 202, 203, *CLERKS.values())
SUBJECTS = ("路灯", "路灯和路面", "三家一起", "水管", "别的")
Steps = st.SearchStrategy[Step]


class Scene(NamedTuple):
    """The case before the input, and the city in force."""

    case: Case
    city: CityIndex

    @property
    def holders(self) -> tuple[str, ...]:
        """The departments with a part that is open or contributed."""
        return tuple(part.department for part in self.case.active_parts)

    @property
    def at_work(self) -> tuple[str, ...]:
        """The same with the offices to which they delegated."""
        return self.case.departments


@cache
def texts(most: int = 9) -> st.SearchStrategy[str]:
    return st.integers(0, most).map(lambda number: f"{MARK}{number}\n🚧")


def mostly(likely: Iterable[str], others: Iterable[str] = DEPARTMENTS) -> st.SearchStrategy[str]:
    """One of the likely ones, or sometimes any other."""
    return _mostly(tuple(likely), tuple(others))


@cache
def _mostly(likely: tuple[str, ...], others: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Kept, because hypothesis spends most of its time on new strategies."""
    rare = st.sampled_from((*others, *NOBODYS))
    return st.one_of(*[st.sampled_from(likely)] * 4, rare) if likely else rare


def by_department(scene: Scene, make: Callable[[str], Steps]) -> Steps:
    """The step of a department: through its outbox, or by a clerk at the desk."""
    return st.tuples(mostly(scene.at_work).flatmap(make), st.booleans()).map(at_its_desk)


def at_its_desk(given: tuple[Step, bool]) -> Step:
    step, at_desk = given
    number = CLERKS.get(step.department or "")
    return at_the_desk(step, number) if at_desk and number is not None else step


def receive(scene: Scene) -> Steps:
    return any_message()


@cache
def any_message() -> Steps:
    contact = Contact(name=f"{MARK}名", phone="13900000000", email="writer@mail.example")
    return st.builds(
        lambda subject, body, departments, confidential, public: received(
            f"{subject} {MARK}",
            body,
            departments=departments,
            confidential=confidential,
            public=public and not confidential,
            contact=contact,
        ),
        st.sampled_from(SUBJECTS),
        texts(),
        st.sampled_from(((), (), ("lighting", "parks"), ("water",))),
        st.sampled_from((False, False, True)),
        st.sampled_from((True, True, False)),
    )


def rate(scene: Scene) -> Steps:
    rounds = st.sampled_from((scene.case.round, scene.case.round, scene.case.round + 1))
    return st.builds(
        lambda round_, solved, words: rated(round_, solved=solved, satisfied="yes" if solved else "no", words=words),
        rounds,
        st.booleans(),
        st.one_of(st.none(), texts()),
    )


def accept(scene: Scene) -> Steps:
    return by_department(scene, lambda department: st.just(accepted(department, by=f"{MARK}某")))


def contribute(scene: Scene) -> Steps:
    return by_department(
        scene,
        lambda department: st.one_of(
            st.builds(contributed, st.just(department), texts()),
            st.builds(contributed, st.just(department), texts()),
            st.builds(drafted, st.just(department), texts()),
            # The part of another department.
            st.builds(
                lambda text, other: Step(
                    lambda case: PartContributed(part_id=part_of(case, other), text=text), department
                ),
                texts(),
                mostly(scene.holders),
            ),
        ),
    )


def reply(scene: Scene) -> Steps:
    return by_department(scene, lambda department: st.builds(replied, st.just(department), texts()))


def give_back(scene: Scene) -> Steps:
    return by_department(
        scene,
        lambda department: st.builds(
            lambda reason, words, suggest: returned(department, reason, words, suggest),
            st.sampled_from((*REASONS, "too-hard")),
            st.one_of(texts(), st.just("")),
            st.one_of(st.none(), mostly(DEPARTMENTS)),
        ),
    )


def edit(scene: Scene) -> Steps:
    frames = st.one_of(st.none(), st.just(""), texts())
    orders = st.one_of(st.none(), st.permutations(scene.holders or DEPARTMENTS[:2]).map(tuple))
    lead = (scene.case.lead,) if scene.case.lead else ()
    return st.builds(
        lambda department, opening, closing, order: reply_edited(
            department,
            opening=opening,
            closing="" if (opening, closing, order) == (None,) * 3 else closing,
            order=order,
        ),
        mostly(lead),
        frames,
        frames,
        orders,
    ).flatmap(lambda step: st.booleans().map(lambda at_desk: at_its_desk((step, at_desk))))


def assign(scene: Scene) -> Steps:
    return st.builds(
        lambda lead, others: assigned(lead, *others), mostly(DEPARTMENTS), st.lists(mostly(DEPARTMENTS), max_size=2)
    )


def arbitrate(scene: Scene) -> Steps:
    return st.builds(
        lambda lead, others, words: arbitrated(lead, *others, words=words),
        mostly(DEPARTMENTS),
        st.lists(mostly(DEPARTMENTS), max_size=2),
        st.one_of(st.none(), texts()),
    )


def withdraw(scene: Scene) -> Steps:
    return st.builds(withdrawn, mostly(part.department for part in scene.case.parts.values()), texts())


def recall(scene: Scene) -> Steps:
    return st.builds(recalled, mostly(scene.holders), texts())


def reassign(scene: Scene) -> Steps:
    return st.builds(reassigned, mostly(scene.holders), mostly(DEPARTMENTS), texts())


def approve(scene: Scene) -> Steps:
    return st.builds(
        lambda user, department, stale: approved(user, department=department, text_hash="0" * 64 if stale else None),
        st.sampled_from(APPROVERS),
        st.one_of(st.none(), st.none(), mostly(scene.holders)),
        st.sampled_from((False, False, False, True)),
    )


def refuse_release(scene: Scene) -> Steps:
    return st.builds(
        lambda words, department: release_refused(words, part_of_department=department),
        texts(),
        st.one_of(st.none(), mostly(scene.holders)),
    )


def ring(scene: Scene) -> Steps:
    """A timer that the case has, or that it no longer has, at its time; or the time of an arbitration."""
    timers = timers_of(scene.case, scene.city)
    stale = [part.due[clock] for part in scene.case.parts.values() for clock in ("accept", "first_reply", "resolve")]
    arbitration = TimerRang.model_validate(
        {"inquiry_id": scene.case.inquiry_id, "kind": "return-arbitration", "due_at": "2026-03-16T04:00:00.000Z"}
    )
    found = [(one.kind, one.part_id, one.clock, one.due_at) for one in timers]
    found += [("overdue", part_id, "accept", due_at) for part_id in scene.case.parts for due_at in stale[:2]]
    payloads = [
        TimerRang.model_validate(
            {"inquiry_id": scene.case.inquiry_id, "kind": kind, "part_id": part, "clock": clock, "due_at": due_at}
        )
        for kind, part, clock, due_at in found
    ]
    return st.sampled_from([*payloads, arbitration]).map(lambda payload: Step(lambda case: payload))


def constant(step: Callable[[], Step]) -> Callable[[Scene], Steps]:
    """An input without a choice."""
    always = st.builds(step)
    return lambda scene: always


STRATEGIES: Mapping[str, Callable[[Scene], Steps]] = {
    InquiryReceived.type: receive,
    InquiryRated.type: rate,
    InquiryLinkRequested.type: constant(link_requested),
    PartAccepted.type: accept,
    PartContributed.type: contribute,
    PartReplied.type: reply,
    PartReturned.type: give_back,
    ReplyEdit.type: edit,
    CaseAssign.type: assign,
    CaseArbitrate.type: arbitrate,
    CaseAssignFirstReceiver.type: constant(first_receiver_assigned),
    CaseWithdrawPart.type: withdraw,
    CaseRecallPart.type: recall,
    CaseReassign.type: reassign,
    CaseReplay.type: constant(replayed),
    CaseApprove.type: approve,
    CaseRefuseRelease.type: refuse_release,
    TimerRang.type: ring,
}
