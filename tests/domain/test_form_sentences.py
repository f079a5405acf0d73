"""What a form tells a resident about each field: what to enter, in the resident's language, without internals."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.intake import pages
from services.intake.domain import RatingGiven
from services.intake.sentences import labels
from shared.runtime.languages import LANGUAGES, Lang

GOOD = {"subject": "路灯", "body": "不亮"}
GOOD_RATING = {"round": 1, "solved": True, "satisfied": "yes"}


def of_form(typed: dict[str, Any], lang: Lang) -> dict[str, str]:
    """The sentence for each wrong field of the form."""
    with pytest.raises(ValidationError) as wrong:
        pages.submission(GOOD | typed, lang)
    return pages.field_sentences(wrong.value, lang)


def of_rating(given: dict[str, Any], lang: Lang) -> dict[str, str]:
    with pytest.raises(ValidationError) as wrong:
        RatingGiven.model_validate(GOOD_RATING | given)
    return pages.field_sentences(wrong.value, lang)


@pytest.mark.parametrize(
    ("typed", "field", "chinese", "english"),
    [
        ({"subject": ""}, "subject", "请填写标题。", "Enter a subject."),
        ({"subject": " \n"}, "subject", "请填写标题。", "Enter a subject."),
        ({"body": ""}, "body", "请填写诉求内容。", "Describe what happened."),
        (
            {"phone": "call me"},
            "phone",
            "请填写电话号码，例如 138 0000 0000。",
            "Enter a telephone number, for example 138 0000 0000.",
        ),
        (
            {"email": "me"},
            "email",
            "请填写邮箱地址，例如 name@mail.example。",
            "Enter an e-mail address, for example name@mail.example.",
        ),
        ({"departments": ["R D"]}, "departments", "请从列表中选择部门。", "Choose departments from the list."),
        (
            {"departments": [f"d{at}" for at in range(21)]},
            "departments",
            "最多选择 20 个部门。",
            "Choose at most 20 departments.",
        ),
        (
            {"subject": "题" * 201},
            "subject",
            "“标题”有 201 字，最多 200 字。",
            "“Subject” has 201 characters. The limit is 200.",
        ),
        (
            {"body": "字" * 20_001},
            "body",
            "“诉求内容”有 20,001 字，最多 20,000 字。",
            "“Message” has 20,001 characters. The limit is 20,000.",
        ),
        (
            {"phone": "1" * 41},
            "phone",
            "“电话”有 41 字，最多 40 字。",
            "“Telephone” has 41 characters. The limit is 40.",
        ),
        (
            {"area": "a\0b"},
            "area",
            "“地点”中有无法保存的字符，请删去。",
            "“Place” contains a character that cannot be saved. Please delete it.",
        ),
    ],
)
def test_each_field_says_what_to_enter(typed: dict[str, Any], field: str, chinese: str, english: str) -> None:
    assert of_form(typed, "zh") == {field: chinese}
    assert of_form(typed, "en") == {field: english}


@pytest.mark.parametrize(
    ("given", "field", "chinese", "english"),
    [
        ({"solved": None}, "solved", "请选择问题是否解决。", "Choose whether the problem is solved."),
        ({"satisfied": None}, "satisfied", "请选择是否满意。", "Choose whether you are satisfied."),
        ({"satisfied": "very"}, "satisfied", "请选择是否满意。", "Choose whether you are satisfied."),
        (
            {"round": 0},
            "round",
            "这份答复已经评价过，或者还没有可以评价的答复。",
            "You have already rated this reply, or there is no reply to rate yet.",
        ),
        (
            {"words": "好" * 20_001},
            "words",
            "“补充说明”有 20,001 字，最多 20,000 字。",
            "“Anything to add” has 20,001 characters. The limit is 20,000.",
        ),
    ],
)
def test_a_rating_says_what_to_choose(given: dict[str, Any], field: str, chinese: str, english: str) -> None:
    assert of_rating(given, "zh") == {field: chinese}
    assert of_rating(given, "en") == {field: english}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_shows_internals(lang: Lang) -> None:
    everything = dict.fromkeys(("subject", "body", "area", "name", "phone", "email"), "\0")
    for sentence in of_form(everything, lang).values():
        for internal in ("None", "contact.", "U+", "value_error", "'", "is not a"):
            assert internal not in sentence
    assert "contact" not in " ".join(labels(lang).values())
