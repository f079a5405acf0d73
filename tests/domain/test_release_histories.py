"""Any order of legal and illegal commands: only the approved text is released, and no word of it is public before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.router.domain import facts
from services.router.domain.decision import Decision, case_of, from_document
from services.router.domain.rules.release import authors
from shared.contracts.case_commands import CaseApprove
from shared.kafka import topics
from tests.builders import (
    INQUIRY,
    Step,
    Story,
    accepted,
    assigned,
    at_the_desk,
    contributed,
    drafted,
    rated,
    received,
    returned,
    told,
    withdrawn,
)
from tests.releasing import TWO, approved, release_refused, reply_edited

DEPARTMENTS = ("lighting", "roads", "water")
MARK = "机密"
CLERKS = {"lighting": 11, "roads": 12, "water": 13}
APPROVERS = (21, 22, 23)
departments = st.sampled_from(DEPARTMENTS)
texts = st.integers(0, 9).map(lambda n: f"{MARK}{n}")
frames = st.one_of(st.none(), st.just(""), texts)


def clerk(step: Step) -> Step:
    assert step.department is not None
    return at_the_desk(step, CLERKS[step.department])


edits = st.builds(
    lambda department, opening, closing, order, at_desk: reply_edited(
        department,
        opening=opening,
        closing=closing if opening is not None or closing is not None or order else "",
        order=order,
        user=CLERKS[department] if at_desk else None,
    ),
    departments,
    frames,
    frames,
    st.one_of(st.none(), st.permutations(DEPARTMENTS[:2]).map(tuple), st.permutations(DEPARTMENTS).map(tuple)),
    st.booleans(),
)
contributions = st.builds(contributed, departments, texts)
approvals = st.builds(
    lambda user, department, stale: approved(user, department=department, text_hash="0" * 64 if stale else None),
    st.sampled_from((*APPROVERS, *CLERKS.values())),
    st.one_of(st.none(), departments),
    st.sampled_from((False, False, False, True)),
)
steps = st.one_of(
    contributions,
    contributions.map(clerk),
    contributions.map(clerk),
    approvals,
    approvals,
    approvals,
    edits,
    st.builds(release_refused, st.just("写明日期"), part_of_department=st.one_of(st.none(), departments)),
    st.builds(accepted, departments),
    st.builds(drafted, departments, texts),
    st.builds(returned, departments),
    st.builds(withdrawn, departments),
    st.builds(assigned, departments),
    st.just(rated()),
)


def public(decision: Decision) -> str:
    """What readers of events, and the resident, get of a decision."""
    readers = (topics.EVENTS, topics.RESIDENTS)
    return "".join(one.value.decode() for one in decision.messages if one.topic in readers)


def check(before: Story, after: Story, approvers: list[int]) -> list[int]:
    """Check one step; returns the users who have approved the newest version."""
    decision, case = after.last, after.case
    made = {type(one) for one in decision.facts}
    assert (case.state == "awaiting-release") == (case.pending is not None and not case.unsettled)
    if facts.Approved in made:
        assert before.case.reply is not None
        given = after.inputs[-1]
        assert isinstance(given.payload, CaseApprove)
        assert given.payload.text_hash == before.case.reply.sha256
        assert given.user is not None
        for author in authors(before.case, before.case.reply):
            assert author.user != given.user
            assert author.user is not None or author.department != given.department
        approvers = [*approvers, given.user]
        assert len(set(approvers)) == len(approvers)
    if facts.Composed in made:
        approvers = []
    if facts.Answered in made:
        assert len(approvers) == 2
        assert case.released is case.reply
        assert before.case.reply is not None
        assert after.resident()["case"]["reply"]["text"] == before.case.reply.text.text
        assert made == {facts.Approved, facts.ReplyReleased, facts.Answered}
    elif case.state != "answered":
        assert MARK not in public(decision)
    return approvers


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, min_size=5, max_size=30))
def test_only_the_approved_text_is_released_and_nothing_before(history: list[Step]) -> None:
    # All parts are in at first, so that most steps meet a reply that waits.
    story = told(received("三家一起"), clerk(contributed("water", f"{MARK}水")), city=TWO)
    story = told(
        clerk(contributed("lighting", f"{MARK}灯")),
        clerk(contributed("roads", f"{MARK}路")),
        city=TWO,
        after_this=story,
    )
    approvers: list[int] = []
    for step in history:
        after = told(step, city=TWO, after_this=story)
        approvers = check(story, after, approvers)
        story = after
    answered = [one for one in story.decisions if any(isinstance(fact, facts.Answered) for fact in one.facts)]
    assert len(answered) <= 1
    stored = [from_document(one.document()) for one in story.decisions]
    assert case_of(INQUIRY, stored) == story.case
