"""Drafts, interim replies and contributions of a department."""

from tests.builders import (
    accepted,
    contributed,
    drafted,
    received,
    replied,
    told,
)
from tests.domain.rules.stories import BOTH, states


def test_a_draft_neither_completes_the_part_nor_appears_in_any_message() -> None:
    story = told(received("路灯不亮"), drafted("lighting", "草稿里的话"))
    assert (story.case.state, states(story)) == ("in-progress", {"lighting": "accepted"})
    assert not any("草稿里的话" in message.value.decode() for message in story.messages)
    story = told(contributed("lighting", "定稿"), after_this=story)
    assert story.texts() == ["定稿"]


def test_an_interim_reply_reaches_the_resident_and_leaves_the_part_open() -> None:
    story = told(received("路灯不亮"), replied("lighting", "灯泡周五到货"))
    assert (story.case.state, story.resident()["what"]) == ("in-progress", "replied")
    assert story.resident()["text"] == "路灯管理所告知进展：灯泡周五到货"
    assert story.events()[-2:] == ["part.accepted", "inquiry.replied"]


def test_a_contribution_accepts_the_part() -> None:
    story = told(BOTH, contributed("roads", "路补了"))
    assert story.events()[-2:] == ["part.accepted", "part.contributed"]
    story = told(accepted("lighting"), contributed("lighting", "灯亮了"), after_this=story)
    assert story.events().count("part.accepted") == 2
