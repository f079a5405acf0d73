"""What holds after each step of any history of a case."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from hashlib import sha256
from typing import Any

import bson

from services.router.desk.case_list import read_row
from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Decision, after, from_document
from services.router.domain.outputs.messages import with_messages
from services.router.domain.reply import JointReply
from services.router.domain.rules.release import authors
from services.router.domain.timers import timers_of
from shared.clocks.deadlines import CLOCKS
from shared.contracts.case_commands import CaseApprove
from shared.contracts.envelope import Message
from shared.kafka import topics
from tests.anyorder.strategies import MARK
from tests.builders import Story, record_of

WITHOUT_OWNER: frozenset[str] = frozenset({"unknown"})
"""The states in which nobody is responsible for a case."""
Facts = tuple[facts.Fact, ...]


def check(before: Story, story: Story, city: CityIndex) -> None:
    """Check one decision."""
    assert len(story.decisions) == len(before.decisions) + 1
    somebody_is_responsible(story.case)
    no_part_is_lost(before.case, story.case, story.last.facts)
    each_new_part_is_told(story.last)
    only_running_clocks_ring(before.case, story.case, story.last.facts, city)
    only_the_approved_text_is_released(before, story)
    no_text_is_in_an_event(story.last)
    the_audit_trail_is_complete(before, story)


def somebody_is_responsible(case: Case) -> None:
    """A case is in triage, or one department leads it."""
    if case.status in WITHOUT_OWNER:
        return
    leads = [part for part in case.active_parts if part.role == "lead"]
    assert len(leads) <= 1
    assert case.unsettled or leads, f"nobody is responsible for the {case.status} case"
    assert (case.status == "triage") == bool(case.unsettled)
    departments = [part.department for part in case.active_parts]
    assert len(set(departments)) == len(departments), "a department has two parts"


def no_part_is_lost(before: Case, case: Case, made: Facts) -> None:
    """Parts stay with their number and department; one that is over stays over, and one that ends is settled."""
    assert list(case.parts) == [f"{case.inquiry_id}-p{number}" for number in range(1, len(case.parts) + 1)]
    for id_, part in before.parts.items():
        now = case.parts[id_]
        assert now.department == part.department
        assert part.state != "withdrawn" or now.state == "withdrawn"
        assert part.state != "returned" or now.state in ("returned", "withdrawn")
        told = {type(one) for one in made if getattr(one, "part_id", None) == id_}
        assert now.state == part.state or told or facts.ReleaseRefused in set(map(type, made)), "a silent change"
        if part.active and now.state == "returned":
            settled = any(isinstance(one, facts.Assigned) for one in made)
            assert id_ in case.unsettled or settled, "nobody settles what was returned"
    for one_left in set(before.unsettled) - set(case.unsettled):
        over = one_left is not None and case.parts[one_left].state == "withdrawn"
        assert over or any(isinstance(one, facts.Assigned | facts.Triaged) for one in made), "triage forgot a part"


def each_new_part_is_told(decision: Decision) -> None:
    """The department of each offered part gets it in its inbox, and of each withdrawn part the end."""
    inboxes = [(one.topic, one.type, json.loads(one.value)) for one in decision.messages]
    sent = {(topic, kind, value.get("part_id")) for topic, kind, value in inboxes}
    for fact in decision.facts:
        if isinstance(fact, facts.Offered | facts.Withdrawn):
            assert (topics.inbox(fact.department), f"chorus.{facts.TYPES[type(fact)]}", fact.part_id) in sent


def only_running_clocks_ring(before: Case, case: Case, made: Facts, city: CityIndex) -> None:
    """Clocks of a part that has ended or waits for the resident do not run, so they have no reminder and do not break."""
    for part in case.parts.values():
        stopped = {clock for clock in CLOCKS if (part.id, clock) in case.stopped}
        if part.state in ("returned", "withdrawn"):
            assert stopped == set(CLOCKS)
        if part.state == "contributed":
            assert {"first_reply", "resolve"} <= stopped
    timers = timers_of(case, city)
    assert len(set(timers)) == len(timers)
    for timer in timers:
        if timer.part_id is None or timer.clock is None:
            continue
        part = case.parts[timer.part_id]
        assert timer.due_at == part.due[timer.clock]
        pause = getattr(part, "pause", None)
        assert pause is None or pause.left[timer.clock] is None, "a paused clock runs"
        stopped_at = case.stopped.get((part.id, timer.clock))
        assert stopped_at is None or (timer.kind == "overdue" and stopped_at > timer.due_at), "a stopped clock"
    rung = [one for one in made if isinstance(one, facts.DueSoon | facts.Broken)]
    for fact in rung:
        kind = "due-soon" if isinstance(fact, facts.DueSoon) else "overdue"
        assert (kind, fact.part_id, fact.clock, fact.due_at) not in before.announced, "it rang before"
        stopped_at = before.stopped.get((fact.part_id, fact.clock))
        assert stopped_at is None or stopped_at > fact.due_at


def only_the_approved_text_is_released(before: Story, story: Story) -> None:
    """What is released was approved with its exact hash by as many people as the policies want, none of them an author."""
    made = set(map(type, story.last.facts))
    if not made & {facts.ReplyReleased, facts.Answered}:
        if not any(one is facts.Answered for one in released_before(before)):
            assert MARK not in answers(story.last), "a text is public before its release"
        return
    reply = story.case.reply
    assert reply is not None
    assert story.case.released is reply
    assert story.resident()["case"]["reply"]["text"] == reply.text.text
    approvals = approvals_of(story, reply)
    wanted = before.case.pending.approvers if before.case.pending else 0
    assert len(approvals) >= wanted
    written_by = {(one.department, one.user) for one in authors(story.case, reply)}
    for user, department in approvals:
        assert user not in {author for _, author in written_by if author is not None}
        assert (department, None) not in written_by
    for paragraph in reply.paragraphs:
        part = story.case.parts[paragraph.part_id]
        assert part.text is not None
        assert paragraph.text.text == part.text.text in reply.text.text, "the words of a department are changed"


def released_before(story: Story) -> Iterable[type[Any]]:
    return (type(fact) for decision in story.decisions for fact in decision.facts)


def answers(decision: Decision) -> str:
    """The replies in the messages to the resident, without interim replies and the resident's own words."""
    values = [json.loads(one.value) for one in decision.messages if one.topic == topics.RESIDENTS]
    return json.dumps([one["case"].get("reply") for one in values], ensure_ascii=False)


def approvals_of(story: Story, reply: JointReply) -> list[tuple[int | None, str | None]]:
    """The users, with their departments, whose approval of this version was accepted; each named its exact hash."""
    found: list[tuple[int | None, str | None]] = []
    inputs = {one.id: one for one in story.inputs}
    for decision in story.decisions:
        for fact in decision.facts:
            if isinstance(fact, facts.Approved) and (fact.reply_id, fact.version) == (reply.id, reply.version):
                given = inputs[decision.cause]
                assert isinstance(given.payload, CaseApprove)
                assert given.payload.text_hash == reply.sha256 == sha256(reply.text.text.encode()).hexdigest()
                found.append((given.user, given.department))
    assert len({user for user, _ in found}) == len(found), "a user approved twice"
    return found


def no_text_is_in_an_event(decision: Decision) -> None:
    assert not [one for one in decision.events if MARK in one]


def the_audit_trail_is_complete(before: Story, story: Story) -> None:
    """Each input has one decision: with its actor, its time and either effects or a refusal; its events are chained."""
    decision, given = story.last, story.inputs[-1]
    assert (decision.n, decision.type, decision.decided_at) == (before.case.n + 1, given.type, given.recorded_at)
    assert (decision.actor, decision.user, decision.at) == (given.actor, given.user, given.at)
    if decision.refused is not None:
        assert decision.refused.code
        assert decision.refused.reason.endswith(".")
        assert decision.refused.remedy.endswith(".")
        if given.department is not None and given.user is None and given.department in before_inboxes(story):
            refusals = [one for one in decision.messages if one.type == "chorus.message.refused"]
            assert [one.topic for one in refusals] == [topics.inbox(given.department)]
    numbers = [json.loads(one)["sequence"] for one in decision.events]
    assert numbers == list(range(before.case.sequence + 1, story.case.sequence + 1))
    head = before.case.head
    for event in decision.events:
        told = json.loads(event)
        assert (told["prev"], told["actor"]) == (head, given.actor.public)
        head = sha256(event.encode()).hexdigest()
    assert (story.case.head, decision.head) == (head, head)


def before_inboxes(story: Story) -> set[str]:
    """The departments that have had a part."""
    return {part.department for part in story.case.parts.values()}


# ── rebuilding ───────────────────────────────────────────────────────────────


def stored(decision: Decision) -> Decision:
    """The decision as the store returns it."""
    return from_document(bson.decode(bson.encode(decision.document())))


def rebuilt(case: Case, decision: Decision) -> Case:
    """The case after one more decision, from the store alone."""
    return after(case, stored(decision))


def canonical(case: Case) -> str:
    """The case as JSON with sorted keys."""
    return json.dumps({one.name: plain(getattr(case, one.name)) for one in fields(case) if one.compare}, sort_keys=True)


def plain(value: Any) -> Any:
    """A value of a case as JSON can hold it."""
    if isinstance(value, Mapping):
        return sorted([plain(name), plain(one)] for name, one in value.items())
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if isinstance(value, frozenset):
        return sorted(json.dumps(plain(one)) for one in value)
    return value.model_dump() if hasattr(value, "model_dump") else value


def rows(messages: Iterable[Message]) -> Mapping[str, Any]:
    """The row of the case in the collection `cases`."""
    row: dict[str, Any] = {}
    for message in messages:
        if message.topic == topics.EVENTS:
            row |= read_row(record_of(message))
    return row


def check_rebuilt(story: Story, case: Case) -> None:
    """The case, its row and its messages are the same when they are made again from the stored decisions."""
    assert case == story.case
    assert canonical(case) == canonical(story.case)
    again = with_messages(story.case.inquiry_id, map(stored, story.decisions))
    assert [one.messages for one in again] == [one.messages for one in story.decisions]
    made = json.dumps(rows([message for one in again for message in one.messages]), sort_keys=True)
    assert made == json.dumps(rows(story.messages), sort_keys=True)
