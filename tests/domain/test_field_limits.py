"""Length limits of all input fields: the longest value is accepted, one character more is rejected."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.intake.domain import ContactGiven, RatingGiven, Submission
from services.router.gate import outbox_decoder
from shared.contracts.case_commands import CaseArbitrate, CaseAssign, CaseReassign, CaseRecallPart, CaseWithdrawPart
from shared.contracts.department_outbox import Action, PartContributed, PartReplied, PartReturned
from shared.kafka import topics
from tests.builders import INQUIRY, a_record

PART = f"{INQUIRY}-p1"
SUBMISSION = {"subject": "路灯不亮", "body": "三盏路灯坏了。"}
RATING = {"round": 1, "solved": True, "satisfied": "yes"}
RETURNED = {"part_id": PART, "reason": "not-ours"}
WITHDRAWN = {"inquiry_id": INQUIRY, "part_id": PART, "why": "a duplicate"}
REASSIGNED = {"inquiry_id": INQUIRY, "part_id": PART, "to": "roads", "words": "theirs"}
ARBITRATED = {"inquiry_id": INQUIRY, "lead": "roads"}
RECALLED = {"inquiry_id": INQUIRY, "part_id": PART, "why": "retired", "reason": "department-retired"}
ACTION = {"kind": "visit", "at": "2026-03-16T04:00:00Z"}
SAID = {"part_id": PART, "text": "路灯已修复。"}

LENGTHS: list[tuple[type[BaseModel], dict[str, Any], str, int]] = [
    (Submission, SUBMISSION, "subject", 200),
    (Submission, SUBMISSION, "body", 20_000),
    (Submission, SUBMISSION, "channel", 31),
    (Submission, SUBMISSION, "area", 100),
    (Submission, SUBMISSION, "external_id", 200),
    (ContactGiven, {}, "name", 100),
    (RatingGiven, RATING, "words", 20_000),
    (PartContributed, SAID, "text", 20_000),
    (PartContributed, SAID, "by", 100),
    (PartReplied, SAID, "text", 20_000),
    (PartReturned, RETURNED, "reason", 64),
    (PartReturned, RETURNED, "words", 20_000),
    (PartReturned, RETURNED, "suggest", 31),
    (Action, ACTION, "kind", 100),
    (Action, ACTION, "note", 2_000),
    (CaseWithdrawPart, WITHDRAWN, "why", 2_000),
    (CaseReassign, REASSIGNED, "words", 2_000),
    (CaseArbitrate, ARBITRATED, "words", 2_000),
    (CaseRecallPart, RECALLED, "reason", 64),
    (CaseRecallPart, RECALLED, "why", 3_000),
]


@pytest.mark.parametrize(
    ("model", "given", "field", "most"), LENGTHS, ids=[f"{model.__name__}.{field}" for model, _, field, _ in LENGTHS]
)
def test_the_longest_text_is_accepted_and_one_character_more_is_rejected(
    model: type[BaseModel], given: dict[str, Any], field: str, most: int
) -> None:
    assert len(getattr(model.model_validate(given | {field: "a" * most}), field)) == most
    refused(model, given | {field: "a" * (most + 1)})


def refused(model: type[BaseModel], given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(given)


def test_an_address_has_at_most_254_characters_and_no_encoded_word() -> None:
    longest = f"{'n' * 64}@{'a' * 63}.{'b' * 63}.{'c' * 61}"
    assert ContactGiven(email=longest).email == longest
    refused(ContactGiven, {"email": f"{longest}c"})
    refused(ContactGiven, {"email": "=?utf-8?q?evil?=@mail.example"})


def test_a_telephone_number_has_three_digits_at_least_and_forty_characters_at_most() -> None:
    assert ContactGiven(phone="110").phone == "110"
    assert ContactGiven(phone="1" * 40).phone == "1" * 40
    for wrong in ("11", "11-", "1" * 41, f"{'1' * 40} ", "call me"):
        refused(ContactGiven, {"phone": wrong})


def test_a_channel_cannot_contain_a_telephone_number() -> None:
    assert Submission(**SUBMISSION, channel="hotline-12345").channel == "hotline-12345"
    refused(Submission, SUBMISSION | {"channel": "hotline-123456"})


def test_at_most_twenty_distinct_departments_are_accepted() -> None:
    codes = [f"d-{number}" for number in range(21)]
    assert Submission(**SUBMISSION, departments=[*codes[:19], codes[0]]).departments == tuple(codes[:19])
    assert len(Submission(**SUBMISSION, departments=codes[:20]).departments) == 20
    refused(Submission, SUBMISSION | {"departments": codes})
    given = {"inquiry_id": INQUIRY, "lead": "lighting"}
    assert len(CaseAssign.model_validate(given | {"co_handlers": codes[:19]}).co_handlers) == 19
    refused(CaseAssign, given | {"co_handlers": codes[:20]})


def test_a_contribution_has_at_most_fifty_actions() -> None:
    assert len(PartContributed.model_validate(SAID | {"actions": [ACTION] * 50}).actions) == 50
    refused(PartContributed, SAID | {"actions": [ACTION] * 51})


@pytest.mark.parametrize("round_", [0, 1_001, "1", True])
def test_a_rated_round_is_a_whole_number_from_one_to_a_thousand(round_: Any) -> None:
    refused(RatingGiven, RATING | {"round": round_})


@pytest.mark.parametrize("field", ["public", "confidential"])
@pytest.mark.parametrize("word", ["yes", 1, "true", None])
def test_privacy_flags_accept_only_json_booleans(field: str, word: Any) -> None:
    refused(Submission, SUBMISSION | {field: word})


@pytest.mark.parametrize(
    ("model", "given", "field"),
    [
        (Submission, SUBMISSION, "subject"),
        (Submission, SUBMISSION, "body"),
        (PartContributed, SAID, "text"),
        (PartReplied, SAID, "text"),
    ],
)
def test_blank_texts_are_rejected(model: type[BaseModel], given: dict[str, Any], field: str) -> None:
    for blank in ("", " ", "\n\t\u3000"):
        refused(model, given | {field: blank})


@pytest.mark.parametrize(
    ("model", "given", "field"),
    [
        *((Submission, SUBMISSION, field) for field in ("subject", "body", "channel", "area", "external_id")),
        *((ContactGiven, {}, field) for field in ("name", "phone", "email")),
        (RatingGiven, RATING, "words"),
        *((PartContributed, SAID, field) for field in ("text", "by")),
        (PartReplied, SAID, "text"),
        *((PartReturned, RETURNED, field) for field in ("reason", "words", "suggest", "by")),
        *((CaseWithdrawPart, WITHDRAWN, field) for field in ("part_id", "why")),
        *((CaseRecallPart, RECALLED, field) for field in ("part_id", "why")),
    ],
)
def test_u0000_is_rejected_in_every_field(model: type[BaseModel], given: dict[str, Any], field: str) -> None:
    refused(model, given | {field: "a\0b"})


@pytest.mark.parametrize(("model", "given"), [(CaseWithdrawPart, WITHDRAWN), (CaseRecallPart, RECALLED)])
def test_withdrawing_a_part_requires_a_reason(model: type[BaseModel], given: dict[str, Any]) -> None:
    refused(model, given | {"why": ""})


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z"])
def test_a_time_outside_the_supported_range_is_rejected(at: str) -> None:
    refused(Action, ACTION | {"at": at})


def test_sender_ids_of_up_to_256_characters_are_kept() -> None:
    longest = "i" * 256
    place = a_record(b"{}", [("ce_id", f"{longest}i".encode())], topic=topics.outbox("water"), offset=7)
    named = a_record(b"{}", [("ce_id", longest.encode())], topic=topics.outbox("water"), offset=7)
    assert outbox_decoder.read_outbox(named).origin == longest
    assert outbox_decoder.read_outbox(place).origin == place.place


def test_a_value_larger_than_one_mebibyte_is_rejected() -> None:
    headers = [("ce_type", PartContributed.type.encode())]
    record = a_record(b"{" + b" " * 1_048_576, headers, topic=topics.outbox("water"))
    refusal = outbox_decoder.read_outbox(record).refusal
    assert refusal is not None
    assert refusal.reason == "The value has 1048577 bytes."
