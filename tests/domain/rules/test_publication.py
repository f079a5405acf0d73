"""Publication: what the hall shows is a decision of its own, about one exact masked version."""

from typing import Any

import pytest

from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import case_of, from_document
from services.router.domain.outputs.messages import with_messages
from shared.kafka import topics
from tests.builders import DIRECTORY, INQUIRY, Step, Story, contributed, rated, received, told
from tests.publishing import AUTOMATIC, H1, H2, hidden, published, publishing_city, redacted, reported
from tests.releasing import ONE, city_with

PUBLIC = received("路灯不亮", "我住三单元。", public=True)
ANSWERED = (PUBLIC, contributed("lighting", "灯亮了"))


def answered(*steps: Step, city: CityIndex = DIRECTORY) -> Story:
    story = told(*ANSWERED, city=city)
    return told(*steps, city=city, after_this=story)


def code(story: Story) -> str | None:
    return story.last.refusal


def for_the_hall(story: Story) -> list[tuple[str, Any]]:
    """What the notifier learns: what was decided, and about which version."""
    return [(data["what"], data["hall"]) for _, data in story.on(topics.RESIDENTS) if "hall" in data]


# ── a person decides ─────────────────────────────────────────────────────────


def test_an_answer_is_not_published_before_a_person_decides_so() -> None:
    story = answered()
    assert (story.events()[-1], for_the_hall(story)) == ("inquiry.answered", [])
    assert "publication" not in story.on(topics.EVENTS)[-1][1]


def test_a_publication_names_one_version_and_no_event_has_its_hash() -> None:
    story = answered(published(H1))
    assert for_the_hall(story) == [("published", {"sha256": H1})]
    assert story.events()[-1] == "hall.published"
    events = "".join(one.value.decode() for one in story.messages if one.topic == topics.EVENTS)
    assert H1 not in events
    assert set(story.on(topics.EVENTS)[-1][1]["text_hash"]) == {"sha256"}


def test_an_inquiry_that_is_not_public_is_never_published() -> None:
    for one in (received("路灯不亮"), received("路灯不亮", public=True, confidential=True)):
        story = told(one, contributed("lighting", "亮了"), published(), city=AUTOMATIC)
        assert (code(story), for_the_hall(story)) == ("not-public", [])


def test_a_reply_that_is_not_released_is_not_published() -> None:
    assert code(told(PUBLIC, published())) == "not-released"
    waiting = told(*ANSWERED, published(), city=ONE)
    assert (waiting.case.state, code(waiting)) == ("awaiting-release", "not-released")


def test_the_same_version_is_published_once_and_another_one_replaces_it() -> None:
    story = answered(published(), published())
    assert code(story) == "published-before"
    story = told(published(H2), after_this=story)
    assert [one["sha256"] for _, one in for_the_hall(story)] == [H1, H2]


def test_a_hidden_inquiry_is_published_again_only_with_a_reason() -> None:
    story = answered(published(), hidden())
    assert for_the_hall(story)[-1] == ("hidden", {"sha256": H1})
    story = told(published(), after_this=story)
    assert code(story) == "hidden-before"
    story = told(published(why="误删，已核对"), after_this=story)
    assert (code(story), story.case.hall.shown) == (None, True)


def test_hiding_wins_against_a_publication_of_another_version_that_was_decided_just_before() -> None:
    story = answered(published(H1), published(H2), hidden(H1))
    assert (code(story), story.case.hall.shown, for_the_hall(story)[-1][0]) == (None, False, "hidden")


def test_an_inquiry_can_be_hidden_before_it_was_ever_shown_and_without_reading_it() -> None:
    story = answered(hidden(None))
    assert for_the_hall(story) == [("hidden", {"sha256": None})]
    assert code(told(hidden(None), after_this=story)) == "hidden-before"


def test_a_redaction_names_the_version_and_its_words_are_in_no_event() -> None:
    story = answered(redacted("三单元"))
    assert for_the_hall(story) == [("redacted", {"sha256": H1, "find": "三单元"})]
    events = "".join(one.value.decode() for one in story.messages if one.topic == topics.EVENTS)
    assert "三单元" not in events
    assert "三单元" not in story.resident()["text"]


def test_a_version_whose_words_were_hidden_since_is_neither_published_nor_redacted() -> None:
    story = answered(redacted())
    for step in (published(H1), redacted("别的", H1)):
        assert code(told(step, after_this=story)) == "stale-text"
    assert code(told(published(H2), after_this=story)) is None


def test_readers_report_what_the_hall_shows_until_a_person_decides() -> None:
    story = answered(reported())
    assert code(story) == "not-in-hall"
    story = told(published(), reported(), reported(None), after_this=story)
    assert (story.case.hall.reports, story.events()[-2:]) == (2, ["hall.reported", "hall.reported"])
    assert "这里有我的名字" not in "".join(one.value.decode() for one in story.messages)
    story = told(published(), after_this=story)
    assert (code(story), story.case.hall.reports) == (None, 0)


def test_the_resident_learns_that_the_message_is_published_or_hidden() -> None:
    story = answered(published(), hidden(why="涉及邻居"))
    said = [data["text"] for _, data in story.on(topics.RESIDENTS)][-2:]
    assert all(said)
    assert "涉及邻居" not in "".join(said)


# ── the policy decides ───────────────────────────────────────────────────────


def test_a_policy_publishes_at_the_release() -> None:
    story = answered(city=AUTOMATIC)
    assert story.events()[-2:] == ["inquiry.answered", "hall.published"]
    assert for_the_hall(story) == [("published", {"sha256": None})]
    assert story.on(topics.EVENTS)[-1][1]["automatic"] is True


def test_one_part_whose_policy_wants_a_review_is_enough() -> None:
    city = city_index(publishing_city(1, "roads"))
    both = (received("路灯和路面都坏了", public=True), contributed("lighting", "亮了"), contributed("roads", "补了"))
    assert for_the_hall(told(*both, city=city)) == []
    assert len(for_the_hall(told(*both, city=AUTOMATIC))) == 1


def test_a_policy_that_changes_later_publishes_nothing_that_was_released_before() -> None:
    story = told(rated(), city=AUTOMATIC, after_this=answered())
    assert (code(story), for_the_hall(story)) == (None, [])
    story = told(rated(), after_this=answered(city=AUTOMATIC))
    assert len(for_the_hall(story)) == 1


def test_the_policy_publishes_once_whatever_follows() -> None:
    story = answered(rated(), reported(), city=AUTOMATIC)
    assert story.events().count("hall.published") == 1


def test_a_policy_with_approvers_publishes_at_the_release_and_not_before() -> None:
    policy = ONE.policies_by_id["standard"].model_copy(update={"publication": "automatic"})
    story = told(*ANSWERED, city=city_with(policy))
    assert (story.case.state, for_the_hall(story)) == ("awaiting-release", [])


# ── stored and read again ────────────────────────────────────────────────────


@pytest.mark.parametrize("city", [DIRECTORY, AUTOMATIC], ids=["review", "automatic"])
def test_stored_decisions_give_the_same_case_and_the_same_messages(city: CityIndex) -> None:
    story = answered(published(), reported(), redacted(), hidden(None), published(H2, "核对过"), city=city)
    stored = [from_document(one.document()) for one in story.decisions]
    assert case_of(INQUIRY, stored) == story.case
    again = with_messages(INQUIRY, stored)
    assert [one.messages for one in again] == [one.messages for one in story.decisions]
