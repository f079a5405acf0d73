"""Text modules: filling them from a case, and finding the module behind a text."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from services.router.domain.case import Case
from services.router.domain.text_modules import (
    MARK,
    Values,
    by_fitness,
    fill,
    gap,
    gaps_in,
    has_term,
    modules_behind,
    own_part,
    skeleton,
    skeleton_of,
    values_of,
)
from shared.city import Rule, TextModule
from shared.city.text_modules import PLACEHOLDERS, PLACEHOLDERS_MAX
from shared.contracts.fields import Contact
from shared.contracts.limits import SUBJECT_MAX, TEXT_MAX
from shared.runtime.languages import LANGUAGES, Lang
from tests.asking import asked
from tests.builders import CITY, contributed, received, returned, told
from tests.endings import erased
from tests.modules import PAVED, REPAIRED, TREES, VISIT, a_module, with_texts

LIGHTING = ("lighting",)
WEI = Contact(name="魏测试", phone="13900000000")
CASE = told(received("路灯不亮", area="东屿区", contact=WEI)).case
OTHER = told(
    received("人民路的路灯全灭了", area="河边三号", contact=Contact(name="Ann Example")), inquiry_id="20260317-00000001"
).case
CITY_NOW = with_texts(REPAIRED, VISIT)
ALL = (REPAIRED, VISIT)


def values(case: Case = CASE, department: str = "lighting") -> Values:
    part = own_part(case, department)
    assert part is not None
    return values_of(case, part, CITY_NOW)


def filled(module: TextModule, case: Case = CASE, language: Lang = "zh") -> str:
    return fill(getattr(module.text, language), values(case)[language], language).text


# ── filling ──────────────────────────────────────────────────────────────────


def test_placeholders_stand_for_the_values_of_the_case_with_dates_in_the_language_of_the_text() -> None:
    assert filled(REPAIRED) == "您于2026年3月16日反映的“路灯不亮”（20260316-7KQ2M9XD）已由路灯管理所修复。"
    assert filled(VISIT, language="en") == "Dear 魏测试, we will come to 东屿区 by 31 March 2026."
    assert values()["zh"]["due_on"] == "2026年3月31日"


def test_every_placeholder_has_a_value_in_a_complete_case() -> None:
    for language in LANGUAGES:
        assert set(values()[language]) == set(PLACEHOLDERS)
        assert all(values()[language].values())


def test_dates_are_those_of_the_citys_time_zone() -> None:
    late = told(received("路灯不亮", received_at=datetime(2026, 3, 16, 16, 30, tzinfo=UTC))).case
    assert values(late)["zh"]["received_on"] == "2026年3月17日"


def test_spaces_within_the_braces_do_not_matter() -> None:
    assert fill("{{ subject }}", {"subject": "路灯"}, "zh").text == "路灯"


def test_a_value_is_never_filled_again() -> None:
    case = told(
        received("{{resident_name}} {{area}} %(what)s \\1 \\g<0>", area="{{telephone}}", departments=LIGHTING)
    ).case
    found = fill("{{subject}}|{{area}}", values(case)["zh"], "zh")
    assert found.text == "{{resident_name}} {{area}} %(what)s \\1 \\g<0>|{{telephone}}"
    assert found.missing == ()


def test_a_missing_value_leaves_a_gap_and_is_named_once() -> None:
    case = told(received("路灯不亮")).case
    found = fill("{{area}}、{{resident_name}}、{{area}}", values(case)["zh"], "zh")
    assert found.missing == ("area", "resident_name")
    assert found.text == "【缺：所在区域】、【缺：反映人姓名】、【缺：所在区域】"
    assert fill("{{area}}", values(case)["en"], "en").text == "[missing: area]"


def test_a_placeholder_of_a_later_release_is_a_gap() -> None:
    assert fill("{{weather}}", values()["zh"], "zh") == ("【缺：weather】", ("weather",))


def test_a_text_tells_which_gaps_it_still_has() -> None:
    gaps = [gap(one, language) for one in PLACEHOLDERS for language in LANGUAGES]
    assert len(set(gaps)) == len(gaps)
    assert gaps_in("".join(gaps)) == PLACEHOLDERS
    assert gaps_in(f"好{gap('area', 'zh')}好 {{{{ subject }}}} {{{{weather}}}}") == ("subject", "area")
    assert gaps_in(filled(VISIT)) == ()


def test_a_confidential_name_is_missing() -> None:
    case = told(received("路灯不亮", contact=WEI, confidential=True)).case
    for language in LANGUAGES:
        assert values(case)[language]["resident_name"] is None
        assert "魏测试" not in filled(VISIT, case, language)


def test_an_erased_case_has_no_words_left_to_fill_in() -> None:
    case = told(received("路灯不亮", area="东屿区", contact=WEI), contributed("lighting", "灯亮了。"), erased()).case
    assert own_part(case, "lighting") is None or values(case)["zh"]["subject"] is None
    assert case.inquiry is None or (case.inquiry.contact, case.inquiry.subject.text) == (None, "")


def test_a_clock_that_pauses_has_no_due_date() -> None:
    case = told(asked("lighting", "哪一盏？"), after_this=told(received("路灯不亮"))).case
    assert values(case)["zh"]["due_on"] is None


def test_the_department_is_that_of_the_part() -> None:
    case = told(received("路灯和路面都坏了")).case
    assert values(case, "roads")["en"]["department"] == "Roads"
    assert values(case, "lighting")["en"]["department"] == "Street Lighting"


def test_a_department_that_returned_its_part_fills_nothing() -> None:
    case = told(received("路灯不亮"), returned("lighting")).case
    assert own_part(case, "lighting") is None


def test_a_filled_text_is_never_too_long_for_a_contribution() -> None:
    text = "{{subject}}" * PLACEHOLDERS_MAX
    longest = fill(text.ljust(2_000, "字"), {"subject": "啊" * SUBJECT_MAX}, "zh").text
    assert len(longest) < TEXT_MAX


# ── which module for which case ──────────────────────────────────────────────


def test_modules_for_the_subject_come_first_and_those_for_others_last() -> None:
    found = by_fitness([PAVED, REPAIRED, TREES, VISIT], CASE, CITY_NOW)
    assert [(one.id, fit) for one, fit in found] == [
        ("repaired", "this"),
        ("paved", "all"),
        ("visit", "all"),
        ("trees", "others"),
    ]


@pytest.mark.parametrize(
    ("terms", "subject", "fits"),
    [
        (("路灯",), "人民路路灯不亮", True),
        (("路燈",), "人民路路灯不亮", False),
        (("street lamp*",), "The Street  LAMPS are dark", True),
        (("lamp",), "The clamps", False),
        (("ＬＥＤ",), "led", True),
        (("a", "路"), "路", True),
        ((), "路", False),
    ],
)
def test_terms_match_a_subject_as_those_of_rules(terms: tuple[str, ...], subject: str, fits: bool) -> None:
    assert has_term(terms, subject) is fits


def test_a_category_is_that_of_the_rule_that_assigned_the_case() -> None:
    def categorised(rule: Rule) -> Rule:
        return rule.model_copy(update={"category": "lights"}) if rule.id == "dark" else rule

    city = with_texts(rules=tuple(map(categorised, CITY.rules)))
    module = a_module("lighting", "one", categories=("lights",))
    both = a_module("lighting", "two", categories=("lights",), subjects=("树",))
    assert [fit for _, fit in by_fitness([module, both], CASE, city)] == ["this", "others"]
    triage = told(received("别的事")).case
    assert [fit for _, fit in by_fitness([module], triage, city)] == ["others"]


# ── the module behind a text ─────────────────────────────────────────────────


@pytest.mark.parametrize("module", ALL)
@pytest.mark.parametrize("language", LANGUAGES)
def test_two_answers_of_one_module_have_its_skeleton(module: TextModule, language: Lang) -> None:
    one, two = filled(module, CASE, language), filled(module, OTHER, language)
    assert one != two
    skeletons = {
        skeleton(one, values(CASE), ALL),
        skeleton(two, values(OTHER), ALL),
        skeleton_of(getattr(module.text, language)),
    }
    assert len(skeletons) == 1
    # The values alone are enough where the module is no longer known.
    assert {skeleton(one, values(CASE), ()), skeleton(two, values(OTHER), ())} == skeletons


def test_a_value_that_the_module_also_says_itself_is_no_difference() -> None:
    module = a_module("lighting", "east", "东屿区以外的路灯：{{area}}", "Outside 东屿区: {{area}}")
    texts = [(filled(module, case), values(case)) for case in (CASE, OTHER)]
    assert {skeleton(text, given, [module]) for text, given in texts} == {skeleton_of(module.text.zh)}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("，", ", ").replace("！", "!"),
        lambda text: f"\n  {text}\u3000\n\n",
        lambda text: text.replace("3", "３").replace("2", "２"),
        lambda text: text.replace("。", ""),
        lambda text: text.replace("您好", "您\u200b好"),
    ],
)
def test_white_space_width_and_punctuation_make_no_difference(change: Callable[[str], str]) -> None:
    text = filled(VISIT)
    changed = change(text)
    assert changed != text
    assert skeleton(changed, values(), ALL) == skeleton(text, values(), ALL)
    assert list(modules_behind(changed, values(), ALL)) == [VISIT]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("查看", "查看并修复"),
        lambda text: text.replace("查看", ""),
        lambda text: text.replace("2026年3月31日", "2026年4月1日"),
        lambda text: text + "啊",
        lambda text: text[1:],
        lambda text: "",
    ],
)
def test_an_edited_answer_has_another_skeleton(change: Callable[[str], str]) -> None:
    text = filled(VISIT)
    changed = change(text)
    assert skeleton(changed, values(), ALL) != skeleton(text, values(), ALL)
    assert list(modules_behind(changed, values(), ALL)) == []


def test_nobody_can_write_the_mark_of_a_value() -> None:
    text = filled(VISIT)
    assert skeleton(text.replace("魏测试", MARK), values(), ALL) != skeleton(text, values(), ALL)
    assert MARK not in skeleton(MARK * 3, values(), ())


def test_an_answer_edited_alike_in_two_cases_has_one_skeleton() -> None:
    one, two = (filled(VISIT, case).replace("查看", "查看并修复") for case in (CASE, OTHER))
    assert skeleton(one, values(CASE), ALL) == skeleton(two, values(OTHER), ALL)


def test_a_gap_is_seen_through_like_a_value() -> None:
    bare = told(received("路灯不亮"), inquiry_id="20260317-00000002").case
    assert skeleton(filled(VISIT, bare), values(bare), ()) == skeleton(filled(VISIT), values(), ())


def test_a_short_name_is_not_replaced_inside_other_words() -> None:
    case = told(received("路灯不亮", contact=Contact(name="Li"))).case
    assert skeleton("A delivery for Li.", values(case), ()) == f"adeliveryfor{MARK}"
    one = told(received("路灯不亮", contact=Contact(name="a"))).case
    assert skeleton("a cat", values(one), ()) == "acat"


def test_a_text_without_letters_is_no_module() -> None:
    module = a_module("lighting", "line", "——", "--")
    assert list(modules_behind("。。", values(), [module])) == []


def test_what_a_resident_wrote_does_not_disturb_the_pattern() -> None:
    case = told(received("(.*)+$ [a-z", area="\\", contact=Contact(name="|"), departments=LIGHTING)).case
    assert skeleton(filled(REPAIRED, case), values(case), ()) == skeleton(filled(REPAIRED), values(), ())
