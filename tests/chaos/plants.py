"""Faults planted in a capture, and the expected finding for each; `faulty.py` plants some in running code."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.chaos import sample
from tests.chaos.audit.capture import EVENTS, INPUTS, RESIDENTS, Capture, Mail, Record
from tests.chaos.audit.completion import completed
from tests.chaos.sample import JOINT, SINGLE, renamed, reworded

Fault = Callable[[Capture], Capture]


def the(capture: Capture, topic: str, kind: str, **data: Any) -> Record:
    """The first record of the joint inquiry with these properties."""
    return next(
        one
        for one in capture.records
        if (one.topic, one.kind, one.inquiry_id) == (topic, kind, JOINT) and data.items() <= one.data.items()
    )


def without(capture: Capture, *gone: Record) -> Capture:
    return replace(capture, records=[one for one in capture.records if one not in gone])


def with_more(capture: Capture, *more: Record) -> Capture:
    return replace(capture, records=[*capture.records, *more])


def exchanged(capture: Capture, old: Record, new: Record) -> Capture:
    return replace(capture, records=[new if one is old else one for one in capture.records])


INBOX = "departments.urban-management.inbox"


def part_missing(capture: Capture) -> Capture:
    return without(capture, the(capture, INBOX, "part.offered"))


def fresh_id_on_repeat(capture: Capture) -> Capture:
    return with_more(capture, renamed(the(capture, INBOX, "part.offered"), ce_id="fresh"))


def part_in_the_wrong_inbox(capture: Capture) -> Capture:
    offer = the(capture, INBOX, "part.offered")
    return exchanged(capture, offer, replace(offer, topic="departments.police.inbox"))


def part_altered(capture: Capture) -> Capture:
    offer = the(capture, INBOX, "part.offered")
    return exchanged(capture, offer, reworded(offer, subject="别的"))


def gap_in_sequence(capture: Capture) -> Capture:
    return without(capture, the(capture, EVENTS, "inquiry.replied"))


def event_under_two_ids(capture: Capture) -> Capture:
    return with_more(capture, renamed(the(capture, EVENTS, "inquiry.replied"), ce_id="fresh"))


def events_out_of_order(capture: Capture) -> Capture:
    return replace(capture, records=list(reversed(capture.records)))


def same_id_with_other_bytes(capture: Capture) -> Capture:
    return with_more(capture, reworded(the(capture, EVENTS, "inquiry.replied"), part_id="another"))


def answer_doubled(capture: Capture) -> Capture:
    return with_more(capture, renamed(the(capture, RESIDENTS, "resident.told", what="answered"), ce_id="fresh"))


def answer_missing(capture: Capture) -> Capture:
    return without(capture, the(capture, RESIDENTS, "resident.told", what="answered"))


def words_altered(capture: Capture) -> Capture:
    told = the(capture, RESIDENTS, "resident.told", what="answered")
    reply = copy.deepcopy(told.data["case"])
    reply["reply"]["paragraphs"][0]["text"] += "！"
    return exchanged(capture, told, reworded(told, case=reply))


def words_altered_on_the_ticket(capture: Capture) -> Capture:
    return replace(capture, tickets={**capture.tickets, JOINT: {"reply": sample.paragraphs([("environment", "别的")])}})


def mail_missing(capture: Capture) -> Capture:
    return replace(capture, mails=capture.mails[1:])


def mail_under_a_fresh_id(capture: Capture) -> Capture:
    return replace(capture, mails=[*capture.mails, Mail("fresh", sample.ADDRESS)])


def mail_to_somebody_else(capture: Capture) -> Capture:
    return replace(capture, mails=[Mail(capture.mails[0].event, "somebody@else.example"), *capture.mails[1:]])


def not_in_the_hall(capture: Capture) -> Capture:
    return replace(capture, hall=[])


def twice_in_the_hall(capture: Capture) -> Capture:
    return replace(capture, hall=[JOINT, JOINT])


def private_in_the_hall(capture: Capture) -> Capture:
    return replace(capture, hall=[JOINT, SINGLE])


def score_wrong(capture: Capture) -> Capture:
    boards = copy.deepcopy(list(capture.boards))
    boards[0]["departments"][0]["clocks"]["resolve"]["kept"] += 1
    return replace(capture, boards=boards)


def share_wrong(capture: Capture) -> Capture:
    boards = copy.deepcopy(list(capture.boards))
    boards[0]["departments"][0]["clocks"]["resolve"]["share"] = "0.9999"
    return replace(capture, boards=boards)


def scorer_lacks_an_event(capture: Capture) -> Capture:
    return replace(capture, scored=capture.scored[1:])


def scorer_counts_an_event_twice(capture: Capture) -> Capture:
    return replace(capture, scored=[*capture.scored, {**capture.scored[0], "_id": "fresh"}])


def commit_before_effect(capture: Capture) -> Capture:
    """The input is on the log without a decision, as after a commit before the effect."""
    ids = {message.id for message in completed(capture.decisions[:1])}
    left = [one for one in capture.records if one.id not in ids]
    return replace(capture, decisions=list(capture.decisions[1:]), records=left)


def input_decided_twice(capture: Capture) -> Capture:
    twice = replace(capture.decisions[1], n=5, facts=[], messages=[])
    return replace(capture, decisions=[*capture.decisions, twice])


def swallowed_publish_error(capture: Capture) -> Capture:
    return without(capture, the(capture, RESIDENTS, "resident.told", what="replied"))


def unsynced_store(capture: Capture) -> Capture:
    """Accepted data is lost, as in a store that does not sync."""
    return replace(capture, ledger={id_: one for id_, one in capture.ledger.items() if one == SINGLE})


def promise_forgotten(capture: Capture) -> Capture:
    return replace(capture, promised={"rating": JOINT})


def entry_never_published(capture: Capture) -> Capture:
    return replace(capture, ledger={**capture.ledger, "rating": JOINT})


def accepted_and_gone(capture: Capture) -> Capture:
    return replace(
        capture,
        records=[one for one in capture.records if one.inquiry_id != JOINT],
        decisions=[one for one in capture.decisions if one.inquiry_id != JOINT],
        scored=[one for one in capture.scored if one["inquiry_id"] != JOINT],
    )


def note_left(capture: Capture) -> Capture:
    return replace(capture, unpublished=[JOINT])


def two_numbers_for_one_letter(capture: Capture) -> Capture:
    first = capture.accepted[0]
    return replace(capture, accepted=[replace(first, inquiry_ids=(JOINT, SINGLE)), *capture.accepted[1:]])


def input_lost_behind_the_gate(capture: Capture) -> Capture:
    return without(capture, the(capture, INPUTS, "part.replied"))


def _like_the_answer(capture: Capture, kind: str, id_: str, **data: Any) -> Record:
    """A further event of the joint inquiry."""
    answered = the(capture, EVENTS, "inquiry.answered")
    return renamed(reworded(answered, **data), ce_id=id_, ce_type=f"chorus.{kind}")


def rating_without_effect(capture: Capture) -> Capture:
    return with_more(
        capture, _like_the_answer(capture, "inquiry.rated", "rating", round=1, solved=False, satisfied="no")
    )


def reopened_twice(capture: Capture) -> Capture:
    reopened = [_like_the_answer(capture, "inquiry.reopened", f"again-{n}", round=2) for n in (1, 2)]
    return with_more(rating_without_effect(capture), *reopened)


def reopened_by_nobody(capture: Capture) -> Capture:
    return with_more(capture, _like_the_answer(capture, "inquiry.reopened", "again", round=2))


def rating_of_nobody(capture: Capture) -> Capture:
    rated = renamed(reworded(the(capture, INBOX, "part.offered"), round=1), ce_id="r", ce_type="chorus.part.rated")
    return with_more(capture, rated)


def second_round_unanswered(capture: Capture) -> Capture:
    offered = the(capture, EVENTS, "part.offered")
    return with_more(capture, renamed(reworded(offered, part_id=f"{JOINT}-p9", round=2), ce_id="fresh"))


def dead_letter_without_reason(capture: Capture) -> Capture:
    return with_more(capture, replace(the(capture, INPUTS, "part.replied"), topic="router.dead-letters"))


FAULTS: dict[Fault, tuple[str, str]] = {
    part_missing: ("lost", "is not in departments.urban-management.inbox"),
    fresh_id_on_repeat: ("double", "was offered under 2 ids"),
    part_in_the_wrong_inbox: ("double", "is also in departments.police.inbox"),
    part_altered: ("wrong", "in departments.urban-management.inbox is not what was decided"),
    gap_in_sequence: ("lost", "the events [5] are missing"),
    event_under_two_ids: ("double", "the event 5 has 2 ids"),
    events_out_of_order: ("wrong", "its events lie in the order"),
    same_id_with_other_bytes: ("double", "stands for two different texts"),
    answer_doubled: ("double", "told so 2 times"),
    answer_missing: ("lost", "it has no answer"),
    words_altered: ("lost", "its answer lacks the words of environment"),
    words_altered_on_the_ticket: ("lost", "the ticket that its resident sees lacks the words of environment"),
    mail_missing: ("lost", "no mail to resident@mail.example"),
    mail_under_a_fresh_id: ("double", "which nobody decided"),
    mail_to_somebody_else: ("wrong", "went to somebody@else.example"),
    not_in_the_hall: ("lost", "the hall does not show it"),
    twice_in_the_hall: ("double", "the hall shows it 2 times"),
    private_in_the_hall: ("wrong", "although it is not public"),
    score_wrong: ("wrong", "the scoreboard says resolve.kept 3 for environment, the recount 2"),
    share_wrong: ("wrong", "the scoreboard says resolve 0.9999 for environment, the recount 1.0000"),
    scorer_lacks_an_event: ("lost", "the scorer does not have the event"),
    scorer_counts_an_event_twice: ("double", "that is not on the record"),
    commit_before_effect: ("lost", "it was accepted and has no first decision"),
    input_decided_twice: ("double", "was decided 2 times"),
    swallowed_publish_error: ("lost", "was decided and is not in residents.inbox"),
    unsynced_store: ("lost", "is not in the ledger"),
    promise_forgotten: ("lost", "rating was answered 202 and is not in the ledger"),
    entry_never_published: ("lost", "the ledger's entry rating is not on the log"),
    accepted_and_gone: ("lost", "it was accepted and is not on the log"),
    note_left: ("lost", "is not on Kafka"),
    two_numbers_for_one_letter: ("double", "the message 1-0 has 2 numbers"),
    input_lost_behind_the_gate: ("lost", "departments wrote 3 messages, 2 came through"),
    rating_without_effect: ("lost", "the rating of round 1 did not reopen it"),
    reopened_twice: ("double", "the rating of round 1 reopened it 2 times, not 1"),
    reopened_by_nobody: ("wrong", "round 2 began without a rating of the one before"),
    rating_of_nobody: ("double", "the rating of round 1 reached"),
    second_round_unanswered: ("lost", "it has no answer in round 2"),
    dead_letter_without_reason: ("wrong", "gives no reason"),
}
