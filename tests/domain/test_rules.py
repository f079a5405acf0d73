"""Assignment rules: which departments get a message, and the stated reason."""

import pytest

from services.router.domain.assignment_rules import Assignment, Why, assign, compile_rules
from shared.city import City, Department, Name, Policy, Rule, retire

WHY = Name(zh="原因", en="reason")


def a_city(*rules: Rule) -> City:
    codes = ("roads", "lighting", "environment", "police", "education", "health")
    return City(
        name=Name(zh="某城", en="Some City"),
        time_zone="Asia/Shanghai",
        departments=(
            *(Department(code=code, name=Name(zh=code, en=code)) for code in codes),
            Department(
                code="hillside",
                name=Name(zh="山前区办", en="Hillside"),
                kind="district",
                areas=("山前区", "Hillside"),
            ),
            Department(code="riverside", name=Name(zh="河畔区办", en="Riverside"), kind="district", areas=("河畔",)),
        ),
        rules=rules,
        policies=(Policy(id="standard", accept_h=24, first_reply_h=72, resolve_h=360),),
    )


def given(
    city: City,
    subject: str,
    body: str = "",
    *,
    area: str | None = None,
    channel: str = "web",
    named: tuple[str, ...] = (),
) -> Assignment | None:
    return assign(compile_rules(city), subject=subject, body=body, area=area, channel=channel, named=named)


def lead_of(city: City, subject: str, body: str = "", **more: str) -> str | None:
    assignment = given(city, subject, body, area=more.get("area"), channel=more.get("channel", "web"))
    return None if assignment is None else assignment.lead


LIGHTS = Rule(id="lights", lead="lighting", any=("路灯", "street light*"), why=WHY)
NOISE = Rule(
    id="night-noise",
    lead="environment",
    co_handlers=("police",),
    all=(("工地", "施工", "construction"), ("夜间", "凌晨", "at night")),
    none=("已停工",),
    why=WHY,
)
SCHOOLS = Rule(id="schools", lead="education", any=("学校", "school"), why=WHY)


def test_the_first_matching_rule_assigns() -> None:
    city = a_city(LIGHTS, SCHOOLS)
    assert lead_of(city, "学校门口的路灯坏了") == "lighting"
    assert lead_of(a_city(SCHOOLS, LIGHTS), "学校门口的路灯坏了") == "education"


def test_a_rule_may_name_several_departments_and_its_lead() -> None:
    assignment = given(a_city(NOISE), "工地夜间施工")
    assert assignment is not None
    assert (assignment.lead, assignment.co_handlers, assignment.rule) == (
        "environment",
        ("police",),
        "night-noise",
    )


def test_every_group_of_all_must_be_found() -> None:
    assert lead_of(a_city(NOISE), "工地没有围挡") is None
    assert lead_of(a_city(NOISE), "凌晨有人唱歌") is None


def test_a_term_in_none_excludes_the_rule() -> None:
    assert lead_of(a_city(NOISE), "工地夜间已停工") is None


def test_a_message_that_no_rule_matches_goes_to_triage() -> None:
    assert given(a_city(LIGHTS), "你好", "谢谢你们") is None


def test_a_city_without_rules_sends_everything_to_triage() -> None:
    assert given(a_city(), "路灯坏了") is None


def test_a_match_in_the_subject_takes_precedence_over_the_body() -> None:
    assert lead_of(a_city(SCHOOLS, LIGHTS), "路灯坏了", "就在学校旁边") == "lighting"


def test_one_term_suffices_in_a_short_body() -> None:
    assert lead_of(a_city(LIGHTS), "求助", "门口的路灯坏了") == "lighting"


def test_a_long_body_needs_several_terms_of_a_rule() -> None:
    aside = "我从来没有写过信，这次实在没有办法。" * 10
    noise = Rule(id="noise", lead="environment", any=("噪音", "扰民", "吵闹", "睡眠"), why=WHY)
    assert lead_of(a_city(noise), "求助", aside + "还有噪音。") is None
    assert lead_of(a_city(noise), "求助", aside + "噪音扰民，吵闹不停，影响睡眠。") == "environment"


def test_in_a_body_the_rule_with_the_most_terms_wins() -> None:
    first = Rule(id="first", lead="education", any=("学校", "老师"), why=WHY)
    second = Rule(id="second", lead="health", any=("医院", "医生", "护士"), why=WHY)
    assert lead_of(a_city(first, second), "求助", "学校的老师去医院看医生，护士不理他") == "health"
    assert lead_of(a_city(first, second), "求助", "学校的老师去医院看医生") == "education"


@pytest.mark.parametrize(
    "subject", ["STREET LIGHT broken", "ｓｔｒｅｅｔ　ｌｉｇｈｔ", "street-lights are dark", "Street\tlight?"]
)
def test_english_terms_match_in_any_case_width_and_spacing(subject: str) -> None:
    assert lead_of(a_city(LIGHTS), subject) == "lighting"


def test_english_terms_match_whole_words_unless_they_end_with_a_star() -> None:
    buses = Rule(id="buses", lead="roads", any=("bus", "pothole*"), why=WHY)
    assert lead_of(a_city(buses), "my business is slow") is None
    assert lead_of(a_city(buses), "the bus is late") == "roads"
    assert lead_of(a_city(buses), "so many potholes") == "roads"
    assert lead_of(a_city(buses), "a spothole") is None


def test_full_width_and_compatible_forms_are_folded() -> None:
    halls = Rule(id="halls", lead="police", any=("ktv", "5g基站"), why=WHY)
    assert lead_of(a_city(halls), "ＫＴＶ太吵") == "police"
    assert lead_of(a_city(halls), "楼顶的５Ｇ基站") == "police"
    assert lead_of(a_city(LIGHTS), "⾡灯、路灯") == "lighting"


def test_a_term_of_one_character_matches() -> None:
    assert lead_of(a_city(Rule(id="dogs", lead="police", any=("狗",), why=WHY)), "狗叫") == "police"


@pytest.mark.parametrize("text", ["😀🎉", "مرحبا شكرا", "\u202e\u200f", "", " ", "ﬃ ß İ", "é" * 300, "\ud83d\ude00"])
def test_any_script_is_read_and_goes_to_triage(text: str) -> None:
    assert given(a_city(LIGHTS, NOISE, SCHOOLS), text, text) is None


def test_terms_match_between_emoji_and_right_to_left_text() -> None:
    assert lead_of(a_city(LIGHTS), "😀路灯🎉 مرحبا") == "lighting"


# Departments the writer names


def test_named_departments_take_precedence_and_the_first_leads() -> None:
    assignment = given(a_city(LIGHTS), "路灯坏了", named=("police", "health", "police"))
    assert assignment is not None
    assert (assignment.lead, assignment.co_handlers, assignment.rule) == ("police", ("health",), None)
    assert assignment.why == Why(zh="来信人指定的部门", en="named by the writer")


def test_unknown_named_departments_are_ignored() -> None:
    assert given(a_city(LIGHTS), "你好", named=("nobody",)) is None
    assignment = given(a_city(LIGHTS), "路灯坏了", named=("nobody",))
    assert assignment is not None
    assert assignment.lead == "lighting"


@pytest.mark.parametrize("named", [20, 21])
def test_at_most_twenty_named_departments_get_a_part(named: int) -> None:
    codes = tuple(f"dept-{number}" for number in range(named))
    city = a_city().model_copy(
        update={"departments": tuple(Department(code=code, name=Name(zh=code, en=code)) for code in codes)}
    )
    assignment = given(city, "大家好", named=codes)
    assert assignment is not None
    assert (assignment.lead, *assignment.co_handlers) == codes[:20]


# Areas and channels


def test_the_placeholder_for_the_area_is_replaced_by_its_district_office() -> None:
    village = Rule(id="village", lead="roads", co_handlers=("@area",), any=("村道",), why=WHY)
    near = given(a_city(village), "村道烂了", area="山前区")
    assert near is not None
    assert near.co_handlers == ("hillside",)
    nowhere = given(a_city(village), "村道烂了", area=None)
    assert nowhere is not None
    assert nowhere.co_handlers == ()


@pytest.mark.parametrize(
    ("area", "office"),
    [
        ("山前区", "hillside"),
        ("hillside", "hillside"),
        ("HILLSIDE ", "hillside"),
        ("河畔区柳树街道", "riverside"),
        ("riverside", "riverside"),
        ("海边", None),
        ("", None),
        (None, None),
    ],
)
def test_an_area_matches_by_code_name_or_alias(area: str | None, office: str | None) -> None:
    committees = Rule(id="committees", lead="@area", any=("居委会",), why=WHY)
    assignment = given(a_city(committees), "居委会不开门", area=area)
    assert (assignment and assignment.lead) == office


def test_a_rule_applies_only_to_its_areas_and_channels() -> None:
    local = Rule(id="local", lead="roads", any=("修路",), areas=("山前区",), why=WHY)
    assert lead_of(a_city(local), "修路", area="Hillside") == "roads"
    assert lead_of(a_city(local), "修路", area="河畔") is None
    hotline = Rule(id="hotline", lead="police", channels=("hotline",), why=WHY)
    assert lead_of(a_city(hotline), "任何事情", channel="hotline") == "police"
    assert lead_of(a_city(hotline), "任何事情", channel="web") is None


# Retired departments


def test_the_next_department_leads_when_the_lead_is_retired() -> None:
    assignment = given(retire(a_city(NOISE), "environment"), "工地夜间施工")
    assert assignment is not None
    assert (assignment.lead, assignment.co_handlers) == ("police", ())


def test_a_rule_without_active_departments_is_skipped() -> None:
    city = a_city(LIGHTS, Rule(id="dark", lead="roads", any=("路灯",), why=WHY))
    assert lead_of(retire(city, "lighting"), "路灯坏了") == "roads"


def test_a_retired_department_cannot_be_named() -> None:
    assert given(retire(a_city(), "police"), "你好", named=("police",)) is None


# Why


def test_the_reason_names_the_matched_terms() -> None:
    assignment = given(a_city(NOISE), "工地凌晨施工")
    assert assignment is not None
    assert assignment.why.zh == "原因（标题提到“工地”“施工”“凌晨”）"
    assert assignment.why.en == "reason (the subject mentions “工地”, “施工”, “凌晨”)"


def test_the_reason_says_when_the_body_matched_and_names_the_longest_term() -> None:
    deeds = Rule(id="deeds", lead="roads", any=("产权证", "权证", "不动产权证"), why=WHY)
    assignment = given(a_city(deeds), "求助", "不动产权证办不下来")
    assert assignment is not None
    assert assignment.why.zh == "原因（信中提到“不动产权证”）"


def test_a_rule_without_terms_gives_only_its_own_reason() -> None:
    hotline = Rule(id="hotline", lead="police", channels=("hotline",), why=WHY)
    assignment = given(a_city(hotline), "任何事情", channel="hotline")
    assert assignment is not None
    assert assignment.why == Why("原因", "reason")


def test_assignment_is_deterministic() -> None:
    city = a_city(NOISE, LIGHTS, SCHOOLS)
    assert len({given(city, "学校旁工地凌晨施工，路灯也坏了") for _ in range(20)}) == 1
