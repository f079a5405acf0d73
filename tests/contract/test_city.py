"""The sample city: its rules assign their own examples and real messages."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.router.domain.assignment_rules import Assignment, Rules, assign, compile_rules
from shared.city import AREA_OFFICE, City, Rule, load_city

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
CITY = load_city(REPOSITORY / "deploy" / "city")
EXAMPLES = [(rule, example) for rule in CITY.rules for example in rule.examples]

ANSWERS = {
    "urban-management": "城乡建设 环境保护",
    "housing": "城乡建设",
    "housing-fund": "城乡建设 劳动和社会保障",
    "planning": "城乡建设",
    "parks": "城乡建设",
    "emergency": "城乡建设",
    "water": "城乡建设 环境保护",
    "utilities": "城乡建设 商贸旅游",
    "environment": "环境保护",
    "traffic-police": "交通运输 城乡建设",
    "transport": "交通运输 城乡建设",
    "transit": "交通运输 城乡建设",
    "education": "教育文体",
    "culture-tourism": "教育文体 商贸旅游",
    "health": "卫生计生",
    "medical-insurance": "卫生计生 劳动和社会保障",
    "human-resources": "劳动和社会保障",
    "civil-affairs": "劳动和社会保障",
    "tax": "劳动和社会保障 城乡建设",
    "market": "商贸旅游 卫生计生",
    "commerce": "商贸旅游 城乡建设",
    "agriculture": "商贸旅游 卫生计生",
    "police": "环境保护 商贸旅游 城乡建设",
}
"""The official categories that match a department; the petitions office has none of the seven."""


@pytest.fixture(scope="module")
def rules() -> Rules:
    return compile_rules(CITY)


def given(rules: Rules, subject: str, body: str = "", area: str | None = None) -> Assignment | None:
    return assign(rules, subject=subject, body=body, area=area, channel="web", named=())


def test_there_are_24_departments_and_6_district_offices() -> None:
    districts = [one for one in CITY.active if one.kind == "district"]
    assert (len(CITY.active) - len(districts), len(districts)) == (24, 6)
    assert all(one.areas for one in districts)


def test_every_department_has_both_names_and_a_fictional_address() -> None:
    for one in CITY.departments:
        assert not one.name.zh.isascii(), one.code
        assert one.name.en.isascii(), one.code
        assert (one.email or "").endswith(".yunting.example"), one.code


def test_every_rule_has_an_example() -> None:
    assert [rule.id for rule in CITY.rules if not rule.examples] == []


def test_every_bureau_and_utility_leads_in_some_rule() -> None:
    leads = {rule.lead for rule in CITY.rules}
    assert {one.code for one in CITY.active if one.kind != "district"} <= leads


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[f"{rule.id}: {example}" for rule, example in EXAMPLES])
def test_an_example_is_assigned_by_its_rule(rules: Rules, rule: Rule, example: str) -> None:
    assignment = given(rules, example, area="东屿区" if rule.lead == AREA_OFFICE else None)
    assert assignment is not None
    assert assignment.rule == rule.id


def test_the_city_survives_a_round_trip_through_json() -> None:
    assert City.model_validate_json(CITY.model_dump_json()) == CITY


@pytest.mark.parametrize(
    ("subject", "lead"),
    [
        ("My neighbour's dog barks all night", "urban-management"),
        ("Employer has not paid my wages", "human-resources"),
        ("Bus 12 is always late", "transit"),
        ("I lost my ID card", "police"),
        ("Water pipe burst", "utilities"),
        ("The river is black and stinks", "environment"),
        ("小区楼下路灯不亮", "urban-management"),
        ("孩子明年上小学怎么报名", "education"),
        ("公园长椅坏了", "parks"),
        ("咨询医保报销", "medical-insurance"),
    ],
)
def test_messages_other_than_the_examples_are_assigned(rules: Rules, subject: str, lead: str) -> None:
    assignment = given(rules, subject)
    assert assignment is not None
    assert assignment.lead == lead


@pytest.mark.parametrize("subject", ["hello", "你好", "I want to thank you", "关于设立母婴室的建议"])
def test_messages_without_a_topic_go_to_triage(rules: Rules, subject: str) -> None:
    assert given(rules, subject) is None


# Real messages, if the data files are available


def rows(name: str) -> Iterator[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the repository in shared/data: real messages are not part of it")
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


@pytest.mark.parametrize("name", ["messages_unlabelled.csv.gz", "replies_dev.csv.gz"])
def test_most_real_messages_are_assigned_and_some_to_several_departments(rules: Rules, name: str) -> None:
    assigned = [given(rules, row["subject"], row["body"]) for row in rows(name)]
    triage = sum(one is None for one in assigned) / len(assigned)
    joint = sum(one is not None and bool(one.co_handlers) for one in assigned) / len(assigned)
    assert 0.10 < triage < 0.30
    assert 0.05 < joint < 0.15


def test_leads_match_the_official_categories(rules: Rules) -> None:
    agreed, assigned = 0, 0
    for row in rows("messages_dev.csv.gz"):
        if one := given(rules, row["subject"], row["body"]):
            assigned += 1
            agreed += row["category"] in ANSWERS.get(one.lead, "").split()
    assert agreed / assigned > 0.87
