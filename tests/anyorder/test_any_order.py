"""Many actors send legal and illegal inputs in any order; after each step the promises of a case hold."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from services.router.domain import decision, facts, fold
from services.router.domain.case import ENDED, Case
from services.router.domain.city_index import CityIndex
from services.router.domain.fold import clocks
from services.router.domain.part import OPEN
from services.router.domain.reply import JointReply
from services.router.domain.rules import release
from services.router.domain.timers import due_timers
from services.router.domain.words import FactWords
from shared.contracts.case_commands import (
    CaseApprove,
    CaseArbitrate,
    CaseAssign,
    CaseAssignFirstReceiver,
    CaseClose,
    CaseErase,
    CaseHide,
    CaseLink,
    CasePublish,
    CaseReassign,
    CaseRedact,
    CaseRefuseRelease,
    CaseRetract,
)
from shared.contracts.department_outbox import (
    PartAccepted,
    PartContributed,
    PartCorrected,
    PartDelegated,
    PartReplied,
    PartReturned,
    ReplyEdit,
    ReplyGoAhead,
)
from shared.contracts.extensions import CaseExtend, CaseRefuseExtension, PartExtensionAsked
from shared.contracts.inputs import INPUTS, TimerRang
from shared.contracts.questions import InquiryAdded, PartAsked
from shared.contracts.resident_inputs import HallReported, InquiryRated, InquiryReceived
from shared.runtime import timestamps
from tests.anyorder.cities import CITIES, WITH_ONE_APPROVER
from tests.anyorder.handling import ENDS, HANDLING
from tests.anyorder.invariants import check, check_rebuilt, rebuilt
from tests.anyorder.promises import check_promises, paragraphs_read
from tests.anyorder.strategies import STRATEGIES, Scene
from tests.builders import INQUIRY, MONDAY_NOON, Step, told

HISTORIES = int(os.environ.get("CHORUS_HISTORIES", "8"))
STEPS = 50
FEW, ATTEMPTS = 500, 10
GAPS = (timedelta(minutes=10), timedelta(hours=5), timedelta(days=1), timedelta(days=20))
USUAL = (*[GAPS[0]] * 3, *GAPS)
PLAYED = {**STRATEGIES, **HANDLING}
KINDS = (*[kind for kind in sorted(PLAYED) if kind not in ENDS] * 6, *ENDS)


def awaited(case: Case) -> tuple[str, ...]:
    """The types of inputs that move a case on."""
    if case.status == "unknown":
        return (InquiryReceived.type,)
    if case.status in ENDED:
        return (CaseLink.type, CaseErase.type, CasePublish.type, CaseHide.type, HallReported.type)
    if case.questions:
        return (InquiryAdded.type, InquiryAdded.type, PartContributed.type, PartAsked.type)
    if case.arbitration is not None:
        return (CaseArbitrate.type, CaseAssignFirstReceiver.type)
    if case.unsettled:
        return (CaseAssign.type,)
    if case.pending is not None:
        return (CaseApprove.type, CaseApprove.type, CaseApprove.type, CaseRefuseRelease.type, ReplyEdit.type)
    if any(part.extension is not None for part in case.parts.values()):
        return (CaseExtend.type, CaseRefuseExtension.type, PartContributed.type)
    if any(part.role == "lead" and not part.open for part in case.active_parts) and not case.is_answered:
        return (ReplyGoAhead.type, ReplyGoAhead.type, *[PartContributed.type] * 3, PartDelegated.type, PartAsked.type)
    if any(part.state in OPEN for part in case.parts.values()):
        others = (PartAccepted.type, PartReplied.type, PartReturned.type, CaseReassign.type, PartAsked.type)
        return (*[PartContributed.type] * 5, *others, PartExtensionAsked.type, PartDelegated.type, ReplyGoAhead.type)
    if case.hall.shown:
        return (HallReported.type, CaseHide.type, CaseRedact.type, PartCorrected.type, InquiryRated.type)
    rated = [InquiryRated.type] * 3
    return (
        *rated,
        PartCorrected.type,
        CaseRetract.type,
        CasePublish.type,
        CaseHide.type,
        CaseRedact.type,
        CaseClose.type,
    )


class History(RuleBasedStateMachine):
    """One case under the policy of `city`. `seen` counts the inputs by type and outcome."""

    city: ClassVar[CityIndex]
    favoured: ClassVar[tuple[str, ...]] = ()
    """Types of inputs that come often."""
    seen: ClassVar[Counter[Any]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.story, self.kept, self.now = told(), Case(INQUIRY), MONDAY_NOON
        self.read: set[str] = set()

    @initialize(data=st.data(), first=st.sampled_from((True, True, True, False)))
    def begin(self, data: st.DataObject, first: bool) -> None:
        """Mostly with the resident's message; otherwise with an input that comes too early."""
        if first:
            self.send(InquiryReceived.type, data)

    @rule(kind=st.sampled_from(KINDS), gap=st.sampled_from(USUAL), data=st.data())
    def anybody_sends_anything(self, kind: str, gap: timedelta, data: st.DataObject) -> None:
        self.now += gap
        self.send(kind, data)

    @rule(data=st.data(), gap=st.sampled_from(USUAL), times=st.integers(1, 3))
    def the_case_moves_on(self, data: st.DataObject, gap: timedelta, times: int) -> None:
        """Somebody does what the case waits for."""
        for _ in range(times):
            kind = data.draw(st.sampled_from((*awaited(self.story.case), *self.favoured)))
            # The first department leads when the arbiter's time is over.
            self.now += GAPS[-1] if kind == CaseAssignFirstReceiver.type else gap
            self.send(kind, data)

    @rule(data=st.data())
    def a_department_returns_its_part(self, data: st.DataObject) -> None:
        self.now += GAPS[0]
        self.send(PartReturned.type, data)

    @rule(gap=st.sampled_from(GAPS))
    def time_passes(self, gap: timedelta) -> None:
        """The timers that have become due ring."""
        self.now += gap
        for timer in due_timers(self.story.case, self.city, timestamps.to_ms(self.now)):
            about = {"inquiry_id": INQUIRY, "kind": timer.kind, "part_id": timer.part_id, "clock": timer.clock}
            rang = TimerRang.model_validate(about | {"due_at": timer.due_at})
            self.take(Step(lambda case, rang=rang: rang, id=timer.id_in(INQUIRY)))  # type: ignore[misc]

    @rule(data=st.data(), changed=st.booleans())
    def an_earlier_id_comes_again(self, data: st.DataObject, changed: bool) -> None:
        """A repeat with the same bytes decides nothing; another message under an id that was used is refused."""
        if not self.story.inputs:
            return
        earlier = data.draw(st.sampled_from(self.story.inputs))
        before = self.story
        step = Step(lambda case: earlier.payload, earlier.department, earlier.id, self.now, earlier.user)
        if changed:
            step = data.draw(PLAYED[earlier.type](Scene(before.case, self.city)))
            step = Step(step.payload, step.department, earlier.id, self.now, step.user, step.role)
        self.story = told(step, city=self.city, after_this=before)
        if len(self.story.decisions) == len(before.decisions):
            assert self.story.case is before.case
            return
        assert self.story.last.refusal == "id-used-before"
        self.kept = rebuilt(self.kept, self.story.last)

    def send(self, kind: str, data: st.DataObject) -> None:
        self.take(data.draw(PLAYED[kind](Scene(self.story.case, self.city))))

    def take(self, step: Step) -> None:
        before = self.story
        step = Step(
            step.payload, step.department, step.id or f"id-{len(before.inputs)}", self.now, step.user, step.role
        )
        self.story = told(step, city=self.city, after_this=before)
        if len(self.story.decisions) == len(before.decisions):
            return  # the timer rang before
        self.kept = rebuilt(self.kept, self.story.last)
        check(before, self.story, self.city)
        check_promises(before, self.story, self.city, self.read)
        self.read |= paragraphs_read(self.story.case)
        assert self.kept == self.story.case
        self.seen[self.story.last.type, "refused" if self.story.refusal else "accepted"] += 1

    def teardown(self) -> None:
        check_rebuilt(self.story, self.kept)


def test_each_type_of_input_has_a_strategy() -> None:
    missing = sorted(set(INPUTS) - set(PLAYED))
    assert not missing, f"add a strategy to tests/anyorder/strategies.py for {', '.join(missing)}"
    assert set(PLAYED) == set(INPUTS)


def test_in_any_order_the_promises_hold() -> None:
    """A few histories are the same ones in each run; more follow until together they have accepted every type of input."""
    History.seen.clear()
    for city in CITIES:
        run(city, same_ones=HISTORIES <= FEW)
    for city in CITIES * ATTEMPTS:
        missing = tuple(kind for kind in PLAYED if not History.seen[kind, "accepted"])
        if not missing:
            return
        run(city, same_ones=False, often=(*missing, PartReturned.type))
    raise AssertionError(f"no history has an accepted {', '.join(missing)}")


def run(city_in_force: CityIndex, same_ones: bool, often: tuple[str, ...] = (), **more: Any) -> None:
    class HistoryThere(History):
        city = city_in_force
        favoured = often

    chosen = settings(
        max_examples=HISTORIES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=same_ones,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    run_state_machine_as_test(HistoryThere, settings=chosen)


def authors_may_approve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "_may_be", lambda given, author: False)


def any_text_may_be_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JointReply, "sha256", property(lambda reply: "0" * 64))


def inquiries_without_a_department_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    triage = fold.FOLD[facts.Triaged]

    def forget(case: Case, fact: facts.Triaged, words: FactWords) -> None:
        if fact.part_id is not None:
            triage(case, fact, words)

    monkeypatch.setitem(cast(Any, fold.FOLD), facts.Triaged, forget)


def clocks_of_withdrawn_parts_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast(Any, clocks.STOPPED_BY), facts.Withdrawn, ())


def drafts_are_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "DRAFT", "nowhere/")


FAULTS = (
    authors_may_approve,
    any_text_may_be_approved,
    inquiries_without_a_department_are_forgotten,
    clocks_of_withdrawn_parts_run_on,
    drafts_are_not_stored,
)


@pytest.mark.parametrize("plant", FAULTS)
def test_a_planted_fault_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        search((WITH_ONE_APPROVER,))


def search(cities: Sequence[CityIndex], often: tuple[str, ...] = ()) -> None:
    """Histories in these cities, at most ATTEMPTS times as many as a test plays."""
    more: dict[str, Any] = {"phases": [Phase.generate], "report_multiple_bugs": False, "print_blob": False}
    for attempt in range(ATTEMPTS):
        for city in cities:
            run(city, same_ones=not attempt, often=often, **more)
