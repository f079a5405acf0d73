"""The joint reply: all parts, the lead first, texts unchanged."""

import pytest

from services.router.domain.city_index import city_index
from shared.kafka import topics
from tests.builders import (
    INQUIRY,
    a_city,
    a_department,
    contributed,
    received,
    told,
)
from tests.domain.rules.stories import BOTH


def test_twenty_departments_make_one_joint_reply() -> None:
    codes = tuple(f"bureau-{number}" for number in range(1, 21))
    city = city_index(a_city(*(a_department(code) for code in codes)))
    story = told(received("大家一起", departments=codes), city=city)
    assert len(story.case.active_parts) == 20
    story = told(*(contributed(code, f"{code} 的话") for code in reversed(codes)), city=city, after_this=story)
    assert story.case.state == "answered"
    assert story.texts() == [f"{code} 的话" for code in codes]


def test_the_reply_waits_for_every_part_and_puts_the_lead_first() -> None:
    story = told(received("三家一起来修"), contributed("water", "水停了"), contributed("roads", "路补了"))
    assert story.case.state == "in-progress"
    assert story.resident()["case"]["reply"] is None
    story = told(contributed("lighting", "灯亮了"), after_this=story)
    assert story.case.state == "answered"
    assert story.texts() == ["灯亮了", "路补了", "水停了"]
    assert (
        story.resident()["case"]["reply"]["text"]
        == "【路灯管理所】\n灯亮了\n\n【道路处】\n路补了\n\n【自来水公司】\n水停了"
    )


def test_every_department_gets_part_closed_with_the_reply() -> None:
    story = told(BOTH, contributed("lighting", "灯亮了"), contributed("roads", "路补了"))
    for number, department in enumerate(("lighting", "roads"), 1):
        kind, closed = story.on(topics.inbox(department))[-1]
        assert (kind, closed["part_id"], closed["round"]) == ("part.closed", f"{INQUIRY}-p{number}", 1)


@pytest.mark.parametrize(
    "words",
    [
        "🚧👷‍♀️ done",
        "تم إصلاح المصباح\u202e",
        "第一行\n\n  第二行\r\n\t第三行 ",
        "话" * 20_000,
        "{text} %s {0} {{",
        "上\u2028下",
    ],
    ids=["emoji", "right to left", "lines", "20,000 characters", "braces", "line separator"],
)
def test_the_reply_contains_each_text_unchanged(words: str) -> None:
    story = told(received("路灯不亮"), contributed("lighting", words))
    assert story.texts() == [words]
    assert words in story.resident()["text"]
