"""What the states after the assignment and after the answer promise: pauses, pieces, late parts, ends, hall, messages."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from services.router.domain import facts
from services.router.domain.case import ENDED, Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Decision, after
from services.router.domain.part import OPEN
from services.router.domain.question import open_questions
from services.router.domain.reply import JointReply
from shared.clocks.deadlines import CLOCKS
from shared.clocks.working_time import elapsed
from shared.kafka import topics
from shared.runtime import timestamps
from tests.anyorder.invariants import canonical, stored
from tests.anyorder.strategies import MARK
from tests.builders import Story

Facts = tuple[facts.Fact, ...]
TOLD: Mapping[type[facts.Fact], str] = {
    facts.Answered: "answered",
    facts.Supplemented: "supplemented",
    facts.Corrected: "corrected",
    facts.Retracted: "retracted",
    facts.Replied: "replied",
    facts.Asked: "asked",
    facts.Reminded: "reminded",
    facts.Closed: "closed",
    facts.Reopened: "reopened",
    facts.RatingReminded: "rating-reminder",
    facts.HallPublished: "published",
    facts.HallHidden: "hidden",
    facts.HallRedacted: "redacted",
    facts.CaseRefused: "refused",
    facts.CaseWithdrawn: "withdrawn",
    facts.CaseErased: "erased",
}
"""The facts of which the resident gets one message each."""


def check_promises(before: Story, story: Story, city: CityIndex, read: Collection[str]) -> None:
    """Check one decision. `read` are the paragraphs that the resident has read before."""
    made = story.last.facts
    questions_stop_the_clocks(story.case)
    pauses_cost_no_working_time(before.case, story.case, made, city)
    an_extension_moves_the_due_time(before.case, story.case, made)
    pieces_belong_to_a_part(story.case)
    events_count_every_part(story)
    no_contribution_is_forgotten(story.case)
    an_end_is_an_end(before.case, story.case, made)
    links_stay(before.case, story.case, made)
    the_hall_follows_its_decisions(before.case, story.case, made)
    each_message_is_sent_once(before, story)
    residents_read_what_was_released(story, read)
    if story.case.status == "erased":
        an_erased_case_says_nothing(before, story)


def questions_stop_the_clocks(case: Case) -> None:
    """The clocks of each open part that a question is about stand still, and no others."""
    if case.status == "closed":
        return
    asked = {one.part_id for one in open_questions(case)}
    for part in case.parts.values():
        if part.pause is not None:
            assert part.parent is None, "an office waits for the resident"
            assert part.open or case.status in ENDED
            assert case.status in ENDED or asked & {part.id, None}, f"{part.id} waits for nothing"
        if part.id in asked and part.open:
            assert part.pause is not None, f"the clocks of {part.id} run while the resident is asked"


def pauses_cost_no_working_time(before: Case, case: Case, made: Facts, city: CityIndex) -> None:
    """A paused clock has the working time that it had, and after the pause it has the same again."""
    calendar = city.terms["standard"].calendar
    for part in case.parts.values():
        was = before.parts.get(part.id)
        if part.pause is not None and (was is None or was.pause is None):
            since = max(part.pause.since, part.moved_at or "")
            for clock in CLOCKS:
                if (left := part.pause.left[clock]) is not None:
                    assert elapsed(calendar, ms(since), ms(part.due[clock])) == left
    for one in (one for fact in made if isinstance(fact, facts.Resumed) for one in fact.parts):
        was = before.parts[one["part_id"]]
        assert was.pause is not None
        for clock in CLOCKS:
            left, due = was.pause.left[clock], one["due"][clock]
            if left is None or (was.id, clock) in before.stopped:
                assert due == was.due[clock], "a clock moves that did not run"
            else:
                assert elapsed(calendar, ms(case.recorded_at), ms(due)) == left, "a pause changes the time left"


def ms(text: str) -> int:
    return timestamps.to_ms(timestamps.from_text(text))


def an_extension_moves_the_due_time(before: Case, case: Case, made: Facts) -> None:
    """Only the resolve clock, to a later time, and only for a department that has asked; nothing else moves it."""
    for fact in made:
        if isinstance(fact, facts.Extended):
            was, part = before.parts[fact.part_id], case.parts[fact.part_id]
            assert was.extension is not None, "nobody has asked"
            assert part.extension is None
            assert part.due == {**was.due, "resolve": fact.until}
            assert fact.until > was.due["resolve"]
    moved = {one.part_id for one in made if isinstance(one, facts.Extended)}
    moved |= {one["part_id"] for fact in made if isinstance(fact, facts.Resumed) for one in fact.parts}
    for id_, part in before.parts.items():
        assert id_ in moved or case.parts[id_].due == part.due, "a due time moves by itself"


def pieces_belong_to_a_part(case: Case) -> None:
    """A delegated part has a part of a department above it; it is no part of the reply, and ends with that part."""
    for part in case.parts.values():
        if part.parent is None:
            continue
        above = case.parts[part.parent]
        assert above.parent is None, "a third level"
        assert part.role == "co-handler"
        assert part.open is False or above.state in (*OPEN, "contributed"), "a piece outlives its part"
        assert part.active is False or above.active, "a piece counts without its part"
    shown = [one.part_id for reply in case.replies for one in reply.paragraphs]
    assert not [one for one in shown if case.parts[one].parent is not None], "an office's words are in the reply"


def events_count_every_part(story: Story) -> None:
    """The newest event has the sum of the states of all parts, pieces included."""
    if story.last.events:
        told = json.loads(story.last.events[-1])
        assert told["part_states"] == dict(Counter(part.state for part in story.case.parts.values()))
        assert told["state"] == story.case.state
        assert set(told["departments"]) == {part.department for part in story.case.parts.values() if part.active}


def no_contribution_is_forgotten(case: Case) -> None:
    """What a department has contributed is in the reply or an addendum, released or waiting, once nobody else is needed."""
    if case.unsettled or case.status in (*ENDED, "unknown", "closed"):
        return
    if case.is_answered:
        late = [one for one in case.active_parts if one.state == "contributed" and one.id not in case.released_parts]
        waits = case.reply is not None and not case.reply_is_released
        assert not late or waits, "a late contribution waits for nobody"
        return
    if case.complete:
        assert case.pending is not None, "a complete reply is neither released nor does it wait"
    assert not any(one.omitted for one in case.active_parts if one.state == "contributed"), "a late text is left out"


def an_end_is_an_end(before: Case, case: Case, made: Facts) -> None:
    """After an end nobody has an open part, nothing waits, and only an erasure follows."""
    if case.status in ENDED:
        assert not [one.id for one in case.parts.values() if one.open], "an ended case has open parts"
        assert (case.unsettled, case.pending, case.arbitration) == ((), None, None)
    if before.status in ENDED:
        assert case.status in (before.status, "erased")
        assert len(case.parts) == len(before.parts)
    if before.status == "erased":
        assert not made, "an erased case changes"
    closed = [one for one in made if isinstance(one, facts.Closed)]
    assert not closed or case.status == "closed", "a closed case goes on"
    final = [one for one in made if isinstance(one, facts.Closed) and one.reason == "final-answer"]
    if final:
        assert case.released is not None, "closed without an answer"
        assert not [one.id for one in case.parts.values() if one.open], "closed over the head of a department"


def links_stay(before: Case, case: Case, made: Facts) -> None:
    added = [one.linked_to for one in made if isinstance(one, facts.CaseLinked)]
    assert case.links == (*before.links, *added)
    assert case.inquiry_id not in case.links
    assert len(set(case.links)) == len(case.links)


def the_hall_follows_its_decisions(before: Case, case: Case, made: Facts) -> None:
    """Nothing private is published; what was hidden stays hidden until somebody publishes it."""
    if case.status == "erased":
        assert case.hall == type(case.hall)()
        return
    published = [one for one in made if isinstance(one, facts.HallPublished)]
    hidden = [one for one in made if isinstance(one, facts.HallHidden)]
    for fact in published:
        assert case.inquiry is not None
        assert case.inquiry.public, "a private inquiry is published"
        assert not case.inquiry.confidential, "a confidential inquiry is published"
        assert case.released is not None or case.earlier, "published without a reply"
        assert not (fact.automatic and before.hall.is_hidden), "hidden, and published by itself"
    if hidden and not published:
        assert case.hall.is_hidden
        assert not case.hall.shown
    if not hidden and not published:
        assert (case.hall.shown, case.hall.is_hidden) == (before.hall.shown, before.hall.is_hidden)
    assert case.hall.hidden >= before.hall.hidden


def each_message_is_sent_once(before: Story, story: Story) -> None:
    """No two messages have the same id, and the resident reads each thing that happened once."""
    ids = [(one.topic, one.key, one.id) for one in story.last.messages]
    assert len(set(ids)) == len(ids)
    earlier = {(one.topic, one.key, one.id) for decision in before.decisions for one in decision.messages}
    assert not earlier & set(ids)
    values = [json.loads(one.value) for one in story.last.messages if one.topic == topics.RESIDENTS]
    sent = Counter(one["what"] for one in values)
    happened = Counter(TOLD[type(one)] for one in story.last.facts if type(one) in TOLD)
    if story.case.inquiry is None:
        happened = Counter({name: number for name, number in happened.items() if name == "erased"})
    assert {what: number for what, number in sent.items() if what in TOLD.values()} == dict(happened)
    added = [one for one in story.last.facts if isinstance(one, facts.Added)]
    told = Counter(one.topic for one in story.last.messages if one.type == "chorus.part.added")
    if added:
        assert set(told.values()) <= {1}, "a department reads the resident's words twice"
        working = [one for one in (*before.case.active_parts, *before.case.delegated_parts) if one.open]
        assert {topics.inbox(one.department) for one in working} <= set(told), "a department does not read them"


def paragraphs_read(case: Case) -> set[str]:
    """What the resident has read of the reply that was released last, and of its addenda."""
    return {one.text.text for one in case.released_paragraphs}


def residents_read_what_was_released(story: Story, read: Collection[str]) -> None:
    """Each paragraph that a resident reads, now or before a correction, is one of a released reply, word for word."""
    for message in story.last.messages:
        if message.topic != topics.RESIDENTS:
            continue
        reply = json.loads(message.value)["case"].get("reply")
        if reply is None:
            continue
        assert story.case.released is not None
        addenda = [one.reply for one in story.case.addenda_of_round]
        shown = [reply, *reply.get("addenda", ())]
        for given, real in zip(shown, [story.case.released, *addenda], strict=True):
            assert [one["text"] for one in given["paragraphs"]] == texts_of(real), "not the text that was released"
        former = [one["text"] for one in reply.get("changes", ()) if one["what"] == "corrected"]
        assert set(former) <= {*read, *paragraphs_read(story.case)}, "a former text that nobody has read"


def texts_of(reply: JointReply) -> list[str]:
    return [one.text.text for one in reply.paragraphs]


def an_erased_case_says_nothing(before: Story, story: Story) -> None:
    """Neither the case nor a message has a word; the chain verifies; without their words, the decisions give the same."""
    assert json.dumps(MARK).strip('"') not in canonical(story.case), "an erased case has words"
    assert not [one for one in story.case.texts if one.text]
    for message in story.last.messages:
        assert MARK.encode() not in message.value, "an erased case says something"
    if before.case.status == "erased":
        return
    case = Case(story.case.inquiry_id)
    for decision in story.decisions:
        case = after(case, stored(without_words(decision)))
    assert canonical(case) == canonical(story.case)


def without_words(decision: Decision) -> Decision:
    """The decision as the store has it after an erasure."""
    return replace(decision, words={}, salt=None, digest=None)
