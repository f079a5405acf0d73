"""Text of which nothing can be seen counts as blank, in every field of words."""

import json

import pytest
from pydantic import TypeAdapter, ValidationError

from services.intake.domain import RatingGiven, Submission
from services.router.desk.requests import RetirementBody
from shared.city.entries import Text
from shared.contracts.case_commands import CaseReassign, CaseWithdrawPart
from shared.contracts.department_outbox import Action, PartContributed, PartReplied, PartReturned
from shared.contracts.fields import is_blank

PART = "20261122-E94NXPQX-p1"
INVISIBLE = [
    " \t\n",
    "\u200b",
    "\u2800",
    "\u3164",
    "\u180e",
    "\u00ad\u2060",
    "\u115f\u1160\uffa0",
    "\ufe0f\u0301",
    "\u3000\u2028",
]
SEEN = ["路", "a", ".", "🙂", "\u3164路", "\u0e33", "\U0001faea", "\ue000"]


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_invisible_text_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", SEEN, ids=ascii)
def test_visible_text_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
@pytest.mark.parametrize(
    ("model", "fields", "name"),
    [
        (Submission, {"subject": "路灯"}, "body"),
        (Submission, {"body": "路灯"}, "subject"),
        (PartContributed, {"part_id": PART}, "text"),
        (PartReplied, {"part_id": PART}, "text"),
        (PartReturned, {"part_id": PART}, "reason"),
        (CaseWithdrawPart, {"inquiry_id": PART[:17], "part_id": PART}, "why"),
        (CaseReassign, {"inquiry_id": PART[:17], "part_id": PART, "to": "roads"}, "words"),
        (RetirementBody, {}, "reason"),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else "",
)
def test_a_field_of_words_refuses_it(model: type[Submission], fields: dict[str, str], name: str, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(json.dumps({**fields, name: text}))
    [error] = refused.value.errors()
    assert error["loc"] == (name,)


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_the_words_of_a_city_refuse_it(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Text).validate_python(text)


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_optional_words_are_absent(text: str) -> None:
    assert Submission(subject="路灯", body="坏了", area=text).area is None
    assert RatingGiven(round=1, solved=True, satisfied="yes", words=text).words is None
    returned = PartReturned(part_id=PART, reason="not-ours", words=text, suggest=text)
    assert (returned.words, returned.suggest) == ("", None)
    assert Action.model_validate({"kind": "visit", "at": "2026-11-22T09:00:00Z", "note": text}).note is None
