"""Inputs after the assignment and after the answer: questions, extensions, ends, offices, late parts, corrections, hall."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from hypothesis import strategies as st

from shared.contracts.case_commands import (
    CaseClose,
    CaseErase,
    CaseHide,
    CaseLink,
    CasePublish,
    CaseRedact,
    CaseRefuse,
    CaseRetract,
)
from shared.contracts.department_outbox import PartCorrected, PartDelegated, ReplyGoAhead
from shared.contracts.extensions import CaseExtend, CaseRefuseExtension, PartExtensionAsked
from shared.contracts.questions import CaseAsk, InquiryAdded, PartAsked
from shared.contracts.resident_inputs import HallReported, InquiryWithdrawn
from shared.runtime import timestamps
from tests.anyorder.cities import OFFICES, SECTION
from tests.anyorder.strategies import CLERKS, DEPARTMENTS, Scene, Steps, by_department, mostly, texts
from tests.asking import added, asked, asked_for_case, extended, extension_asked, extension_refused
from tests.builders import INQUIRY, MONDAY_NOON, part_of
from tests.closing import closed
from tests.delegating import delegated
from tests.endings import COORDINATOR, OTHER, erased, inquiry_withdrawn, linked, refused
from tests.joining import went_ahead
from tests.publishing import H1, H2, corrected, hidden, published, redacted, reported, retracted

LATER = (timedelta(days=-30), timedelta(hours=3), timedelta(days=8), timedelta(days=60))
"""How much later than its due time a part should be due."""
CORRECTIONS = texts(99)
WHY = st.one_of(st.none(), texts())
HASHES = st.sampled_from((H1, H1, H2))


def ask(scene: Scene) -> Steps:
    return by_department(scene, lambda department: st.builds(asked, st.just(department), texts()))


def ask_for_more_time(scene: Scene) -> Steps:
    return by_department(
        scene,
        lambda department: st.builds(
            extension_asked, st.just(department), st.sampled_from(moments(scene, department)), texts()
        ),
    )


def moments(scene: Scene, department: str) -> tuple[datetime, ...]:
    """Times before and after the one at which the department's part is due."""
    part = scene.case.parts.get(part_of(scene.case, department))
    due = timestamps.from_text(part.due["resolve"]) if part else MONDAY_NOON
    return tuple(due + gap for gap in LATER)


def extend(scene: Scene) -> Steps:
    return who_asked(scene).flatmap(
        lambda department: st.builds(
            extended, st.just(department), st.one_of(st.none(), st.sampled_from(moments(scene, department)))
        )
    )


def refuse_more_time(scene: Scene) -> Steps:
    return st.builds(extension_refused, who_asked(scene), texts())


def who_asked(scene: Scene) -> st.SearchStrategy[str]:
    asking = [one.department for one in scene.case.parts.values() if one.extension is not None]
    return mostly(asking or scene.holders)


def delegate(scene: Scene) -> Steps:
    named = st.lists(mostly(OFFICES, (*DEPARTMENTS, SECTION)), min_size=1, max_size=2).map(tuple)
    return st.builds(
        lambda department, to, text, user: delegated(department, *to, text=text, user=user),
        mostly(("lighting",), scene.at_work or DEPARTMENTS),
        named,
        WHY,
        st.sampled_from((None, None, COORDINATOR)),
    )


def go_ahead(scene: Scene) -> Steps:
    lead = (scene.case.lead,) if scene.case.lead else ()
    return st.one_of(mostly(lead).map(went_ahead), st.just(went_ahead(None, user=COORDINATOR)))


def correct(scene: Scene) -> Steps:
    return st.builds(
        lambda department, text, way: corrected(
            department,
            text,
            user=CLERKS.get(department) if way == "clerk" else COORDINATOR if way == "city" else None,
            by_city=way == "city",
        ),
        mostly(scene.holders),
        CORRECTIONS,
        st.sampled_from(("outbox", "clerk", "city")),
    )


def retract(scene: Scene) -> Steps:
    return st.builds(retracted, st.one_of(st.none(), mostly(scene.holders)), texts())


def refuse(scene: Scene) -> Steps:
    reasons = st.sampled_from(("legal-proceedings", "another-authority", "no-clear-request", "answered-before"))
    return st.builds(refused, reasons, texts(), WHY)


def drawn(*choices: Steps) -> Callable[[Scene], Steps]:
    """An input that does not depend on the case."""
    one = st.one_of(*choices)
    return lambda scene: one


HANDLING: Mapping[str, Callable[[Scene], Steps]] = {
    PartAsked.type: ask,
    CaseAsk.type: drawn(st.builds(asked_for_case, texts())),
    InquiryAdded.type: drawn(st.builds(added, texts())),
    PartExtensionAsked.type: ask_for_more_time,
    CaseExtend.type: extend,
    CaseRefuseExtension.type: refuse_more_time,
    PartDelegated.type: delegate,
    ReplyGoAhead.type: go_ahead,
    PartCorrected.type: correct,
    CaseRetract.type: retract,
    CaseClose.type: drawn(st.builds(closed, texts())),
    CasePublish.type: drawn(st.builds(published, HASHES, WHY)),
    CaseHide.type: drawn(st.builds(hidden, st.one_of(st.none(), HASHES), texts())),
    CaseRedact.type: drawn(st.builds(redacted, texts(), HASHES, WHY)),
    HallReported.type: drawn(st.builds(reported, WHY)),
    CaseLink.type: drawn(st.sampled_from((OTHER, INQUIRY, "20260315-0000000C")).map(linked)),
    CaseRefuse.type: refuse,
    InquiryWithdrawn.type: drawn(st.builds(inquiry_withdrawn, WHY)),
    CaseErase.type: drawn(st.builds(erased, texts())),
}
ENDS = (CaseErase.type, CaseRefuse.type, InquiryWithdrawn.type)
"""After these little can happen, so they come seldom."""
