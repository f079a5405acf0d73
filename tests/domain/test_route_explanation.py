"""What `chorus route` explains: the rule that would assign a message, and why near rules would not."""

import random

import pytest

from services.router.domain.assignment_rules import Rules, assign, compile_rules
from services.router.domain.route_explanation import RouteExplanation, explain
from shared.city import City, Rule, load_city
from tests.conftest import REPOSITORY
from tests.domain.test_rules import WHY, a_city

DARK = Rule(id="dark", lead="lighting", any=("路灯", "street lamp*"), why=WHY)
CRASH = Rule(id="crash", lead="police", any=("路灯", "撞"), all=(("撞坏", "撞倒"),), why=WHY)
INDOORS = Rule(id="indoors", lead="education", any=("路灯",), none=("学校",), why=WHY)
HILLS = Rule(id="hills", lead="hillside", any=("路灯",), areas=("山前区",), why=WHY)
PHONE = Rule(id="phone", lead="health", any=("路灯",), channels=("hotline",), why=WHY)
OFFICE = Rule(id="office", lead="@area", any=("路灯",), why=WHY)
POTHOLES = Rule(id="potholes", lead="roads", any=("坑洼",), why=WHY)


def told(*rules: Rule, subject: str, body: str = "", area: str | None = None, channel: str = "web") -> RouteExplanation:
    return explain(compile_rules(a_city(*rules)), subject=subject, body=body, area=area, channel=channel)


def why_not(found: RouteExplanation) -> dict[str, str]:
    return {one.rule: one.why_not for one in found.near}


def test_the_rule_is_named_with_the_terms_that_matched() -> None:
    found = told(DARK, POTHOLES, subject="路灯不亮")
    assert found.assignment is not None
    assert (found.assignment.lead, found.assignment.rule, found.matched) == ("lighting", "dark", "subject")
    assert (found.terms, found.near) == (("路灯",), ())


def test_a_rule_that_matches_subject_and_body_together() -> None:
    found = told(DARK, subject="请处理", body="门口的路灯坏了")
    assert (found.matched, found.terms) == ("message", ("路灯",))


@pytest.mark.parametrize(
    ("near", "said"),
    [
        (CRASH, "the message mentions none of “撞倒”, “撞坏”"),
        (INDOORS, "the message also mentions “学校”, which the rule excludes"),
        (HILLS, "the rule is for 山前区, and the message has no area"),
        (PHONE, "the rule is for the channel hotline, not web"),
        (OFFICE, "the rule needs a district office, and the message has no area"),
    ],
    ids=lambda one: getattr(one, "id", ""),
)
def test_a_near_rule_says_which_condition_fails(near: Rule, said: str) -> None:
    found = told(near, subject="学校门口路灯不亮")
    assert found.assignment is None
    assert why_not(found) == {near.id: said}
    assert found.near[0].departments == (near.lead,)


def test_another_area_is_named() -> None:
    found = told(HILLS, subject="路灯不亮", area="河畔")
    assert why_not(found) == {"hills": "the rule is for 山前区, and the message's area '河畔' belongs to riverside"}


def test_a_rule_after_the_first_that_matches_the_subject() -> None:
    later = DARK.model_copy(update={"id": "later", "lead": "roads"})
    assert why_not(told(DARK, later, subject="路灯不亮")) == {
        "later": "it matches the subject too, but dark comes before it"
    }
    assert why_not(told(POTHOLES, DARK, subject="路灯不亮", body="路面坑洼")) == {
        "potholes": "the subject alone matches dark"
    }


def test_a_long_message_that_shares_too_few_terms_goes_to_triage() -> None:
    found = told(DARK, subject="请处理", body="路灯。" + "这里还有很多别的事情要说。" * 10)
    assert (found.assignment, found.matched, found.terms) == (None, None, ())
    assert found.words_needed == 3
    assert why_not(found) == {"dark": "it shares 1 of the 3 terms that a message of this length needs"}


def test_a_message_without_any_term_has_no_near_rule() -> None:
    found = told(DARK, subject="你好")
    assert (found.assignment, found.near) == (None, ())
    assert told(subject="路灯").near == ()


def test_at_most_five_near_rules_are_listed_those_with_most_terms_first() -> None:
    rules = [DARK.model_copy(update={"id": f"r{n}", "any": ("路灯", *("坏", "三盏")[: n % 3])}) for n in range(9)]
    near = told(*rules, subject="三盏路灯坏了").near
    assert [len(one.terms) for one in near] == [3, 3, 3, 2, 2]


@pytest.fixture(scope="module")
def sample_city() -> City:
    return load_city(REPOSITORY / "deploy" / "city")


def test_the_explanation_agrees_with_the_assignment_on_the_sample_city(sample_city: City) -> None:
    rules: Rules = compile_rules(sample_city)
    dice = random.Random(7)
    examples = [example for rule in sample_city.rules for example in rule.examples]
    for _ in range(300):
        subject, body = dice.choice(examples), "".join(dice.sample(examples, k=dice.randint(0, 3)))
        area, channel = dice.choice((None, "东屿区", "nowhere")), dice.choice(("web", "hotline"))
        given = {"subject": subject, "body": body, "area": area, "channel": channel}
        found = explain(rules, **given)  # type: ignore[arg-type]
        assert found.assignment == assign(rules, **given, named=())  # type: ignore[arg-type]
        assert found.assignment is None or found.assignment.rule not in why_not(found)
