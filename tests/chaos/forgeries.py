"""Forged records in a capture, and the expected finding for each."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.chaos.audit.capture import EVENTS, INPUTS, Capture, Decision, Record
from tests.chaos.plants import Fault, exchanged, the, with_more, without
from tests.chaos.sample import JOINT, as_json, digest, renamed, reworded

OTHER = "0" * 64
Change = Callable[[dict[str, Any]], Mapping[str, Any]]


def forged(capture: Capture, number: int, change: Change) -> Capture:
    """Replace a fact of the joint inquiry in store and topic, and recompute all later hashes."""
    head, before = "", 0
    values: dict[int, str] = {}
    decisions: list[Decision] = []
    for one in capture.decisions:
        if one.inquiry_id != JOINT:
            decisions.append(one)
            continue
        for value in one.facts:
            before += 1
            fact = json.loads(value) | {"prev": head or None}
            values[before] = as_json(fact | change(fact)) if before == number else as_json(fact)
            head = digest(values[before].encode())
        own = [values[at] for at in range(before - len(one.facts) + 1, before + 1)]
        decisions.append(replace(one, facts=own, head=head))

    def told(one: Record) -> Record:
        if (one.topic, one.inquiry_id) != (EVENTS, JOINT):
            return one
        value = values[int(one.headers["ce_sequence"])].encode()
        return Record(one.topic, one.partition, one.offset, one.key, one.headers, value)

    return replace(capture, decisions=decisions, records=[told(one) for one in capture.records])


def changed(capture: Capture, n: int, **fields: Any) -> Capture:
    """Replace a decision of the joint inquiry."""
    return replace(
        capture,
        decisions=[
            replace(one, **fields) if (one.inquiry_id, one.n) == (JOINT, n) else one for one in capture.decisions
        ],
    )


def prev_broken(capture: Capture) -> Capture:
    return forged(capture, 3, lambda fact: {"prev": OTHER})


def prev_forgotten(capture: Capture) -> Capture:
    return forged(capture, 3, lambda fact: {"prev": None})


def prev_of_the_first(capture: Capture) -> Capture:
    return forged(capture, 1, lambda fact: {"prev": OTHER})


def sequence_broken(capture: Capture) -> Capture:
    return forged(capture, 3, lambda fact: {"sequence": 4})


def head_of_another(capture: Capture) -> Capture:
    return changed(capture, 4, head=OTHER)


def end_cut_off(capture: Capture) -> Capture:
    """Remove the last decision from the store and the last event from the topic."""
    short = without(
        capture, *(one for one in capture.records if one.inquiry_id == JOINT and one.kind == "inquiry.answered")
    )
    return replace(short, decisions=[one for one in short.decisions if (one.inquiry_id, one.n) != (JOINT, 4)])


def event_altered(capture: Capture) -> Capture:
    event = the(capture, EVENTS, "inquiry.replied")
    return exchanged(capture, event, reworded(event, department="police"))


def event_with_other_spaces(capture: Capture) -> Capture:
    """The same fields with other bytes than stored."""
    event = the(capture, EVENTS, "inquiry.replied")
    return exchanged(capture, event, reworded(event))


def type_in_the_header_alone(capture: Capture) -> Capture:
    event = the(capture, EVENTS, "inquiry.replied")
    return exchanged(capture, event, renamed(event, ce_type="chorus.part.accepted"))


def time_in_the_header_alone(capture: Capture) -> Capture:
    event = the(capture, EVENTS, "inquiry.replied")
    return exchanged(capture, event, renamed(event, ce_time="2026-11-22T12:00:00.000Z"))


def repeat_with_other_headers(capture: Capture) -> Capture:
    return with_more(
        capture, renamed(the(capture, EVENTS, "inquiry.replied"), ce_recordedtime="2026-11-22T12:00:00.000Z")
    )


def text_in_an_event(capture: Capture) -> Capture:
    return forged(capture, 5, lambda fact: {"text": "正在核实。"})


def text_in_a_new_field(capture: Capture) -> Capture:
    return forged(capture, 5, lambda fact: {"by": "clerk"})


def text_for_a_code(capture: Capture) -> Capture:
    return forged(capture, 1, lambda fact: {"channel": "微信小程序"})


def area_of_no_city(capture: Capture) -> Capture:
    return forged(capture, 1, lambda fact: {"area": "桥那边"})


def text_as_a_state(capture: Capture) -> Capture:
    return forged(capture, 5, lambda fact: {"part_states": {"王办事员": 1}})


def word_altered(capture: Capture) -> Capture:
    return changed(capture, 2, words={"0/text": "正在核实！"})


def word_gone(capture: Capture) -> Capture:
    return changed(capture, 2, words={})


def salt_of_another_input(capture: Capture) -> Capture:
    return changed(capture, 2, salt=OTHER)


def reply_is_not_what_was_composed(capture: Capture) -> Capture:
    last = next(one for one in capture.decisions if (one.inquiry_id, one.n) == (JOINT, 4))
    return changed(capture, 4, words={**last.words, "1/sha256": OTHER})


def place_of_another_input(capture: Capture) -> Capture:
    return changed(capture, 2, at=(0, 0))


def decided_for_the_second_copy(capture: Capture) -> Capture:
    """The gate published it twice with two salts; the first copy counts."""
    said = the(capture, INPUTS, "part.replied")
    again = replace(renamed(said, ce_salt=OTHER), offset=99)
    return changed(with_more(capture, again), 2, at=(0, 99))


FORGERIES: dict[Fault, tuple[str, str]] = {
    prev_broken: ("wrong", "the prev of the fact 3 is not the hash of the one before"),
    prev_forgotten: ("wrong", "the prev of the fact 3 is not the hash of the one before"),
    prev_of_the_first: ("wrong", "the prev of the fact 1 is not the hash of the one before"),
    sequence_broken: ("wrong", "the fact 3 has the sequence 4"),
    head_of_another: ("wrong", "the head of the decision 4 is not the hash of the event 9"),
    end_cut_off: ("wrong", "its last event 8 is not the one that its last decision names"),
    event_altered: ("wrong", "in inquiries.events is not what was decided"),
    event_with_other_spaces: ("wrong", "in inquiries.events is not what was decided"),
    type_in_the_header_alone: ("wrong", "has the type 'chorus.inquiry.replied', not its ce_type"),
    time_in_the_header_alone: ("wrong", "in inquiries.events has another ce_time than was decided"),
    repeat_with_other_headers: ("wrong", "comes again with other headers"),
    text_in_an_event: ("wrong", "has free text in text: '正在核实。'"),
    text_in_a_new_field: ("wrong", "has free text in by: 'clerk'"),
    text_for_a_code: ("wrong", "has free text in channel: '微信小程序'"),
    area_of_no_city: ("wrong", "has free text in area: '桥那边'"),
    text_as_a_state: ("wrong", "knows the part states ['王办事员']"),
    word_altered: ("wrong", "the text 2/0/text is not the one that a fact commits to"),
    word_gone: ("lost", "the text 2/0/text, which a fact commits to, is not there"),
    salt_of_another_input: ("wrong", "the decision 2 does not have the ce_salt of its input"),
    reply_is_not_what_was_composed: ("wrong", "the joint reply 4/1 is not the one that was composed"),
    place_of_another_input: ("wrong", "the decision 2 says that its input lies at (0, 0), not (0, "),
    decided_for_the_second_copy: ("wrong", "the decision 2 says that its input lies at (0, 99), not (0, "),
}
