"""Invented messages, kind by kind, masked with the lexical model: what leads to a person goes, all else stays."""

import re

import pytest

from shared.masking.case import CaseTexts
from shared.masking.lexical_model import LexicalModel
from shared.masking.masking import MARK, mask, mask_case
from tests.masking_corpus import CLOSE, CORPUS, HARMLESS, OPEN

SECRET = re.compile(f"{OPEN}.*?{CLOSE}", re.DOTALL)
EXAMPLES = [(kind, example) for kind, examples in CORPUS.items() for example in examples]


@pytest.fixture(scope="module")
def model() -> LexicalModel:
    return LexicalModel()


def written(example: str) -> str:
    return example.replace(OPEN, "").replace(CLOSE, "")


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_what_leads_to_a_person_goes_and_nothing_else(model: LexicalModel, kind: str, example: str) -> None:
    assert mask(written(example), lexicon=model) == SECRET.sub(MARK, example), kind


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_stays(model: LexicalModel, text: str) -> None:
    assert mask(text, lexicon=model) == text


def test_masking_is_the_same_every_time_and_twice_changes_nothing(model: LexicalModel) -> None:
    whole = "\n".join([*(written(example) for _, example in EXAMPLES), *HARMLESS])
    once = mask(whole, lexicon=model)
    assert mask(whole, lexicon=LexicalModel()) == once
    assert mask(once, lexicon=model) == once


# ── one case ─────────────────────────────────────────────────────────────────


def test_what_one_text_gives_away_is_hidden_in_all_of_them(model: LexicalModel) -> None:
    case = CaseTexts(
        written=("陈晓岚反映漏水", "我叫陈晓岚，电话88880000。"), answers=("陈晓岚您好，已致电 88880000 与您联系。",)
    )
    masked = mask_case(case, model)
    assert masked.written == (f"{MARK}反映漏水", f"我叫{MARK}，电话{MARK}。")
    assert masked.answers == (f"{MARK}您好，已致电 {MARK} 与您联系。",)


def test_what_is_known_of_the_writer_is_hidden_without_any_label(model: LexicalModel) -> None:
    case = CaseTexts(
        written=("路灯", "打 8888-0000，或者写信 lan@mail.example"), reached_at=("88880000", "lan@mail.example")
    )
    assert mask_case(case, model).written[1] == f"打 {MARK}，或者写信 {MARK}"


@pytest.mark.parametrize("number", ["0731-88665110", "0731 8866 5110", "88665110", "（0731）88665110"])
def test_a_departments_own_contacts_stay_readable(model: LexicalModel, number: str) -> None:
    answer = f"如有疑问请拨打电话：{number}，邮箱 desk@lamps.example。"
    case = CaseTexts(("路灯",), (answer,), published=("+86 731 88665110", "desk@lamps.example"))
    assert mask_case(case, model).answers == (answer,)


def test_a_writer_who_gives_a_published_number_as_his_own_is_hidden_all_the_same(model: LexicalModel) -> None:
    case = CaseTexts(("电话 0731-88665110",), reached_at=("0731-88665110",), published=("0731-88665110",))
    assert mask_case(case, model).written == (f"电话 {MARK}",)


def test_a_service_number_that_a_department_gives_in_its_answer_stays(model: LexicalModel) -> None:
    answer = "咨询电话：0731-88665110，监督电话 88665119。您的电话13800138000我们已记下。"
    case = CaseTexts(("路灯",), (answer,))
    assert mask_case(case, model).answers == (answer.replace("13800138000", MARK),)
    case = CaseTexts(("我的电话0731-88665110",), (answer,))
    assert "0731-88665110" not in mask_case(case, model).answers[0]
