"""A reopened inquiry on the resident's page and over intake's API: earlier answers stay, and the form asks why."""

import httpx

from tests.builders import Story, accepted, contributed, rated, received, told
from tests.closing import closed
from tests.component.test_intake import Intake, intake
from tests.component.test_ticket_pages import a_ticket, opened, texts

__all__ = ["intake"]
UNHAPPY = rated(solved=False, satisfied="no", words="还没好")


def first_answer(inquiry_id: str) -> Story:
    return told(received("路灯不亮"), contributed("lighting", "灯亮了"), inquiry_id=inquiry_id)


async def reopened(intake: Intake) -> tuple[str, str, Story]:
    """A ticket whose resident has rated the first answer, and the story until the inquiry is reopened."""
    inquiry_id, code = await a_ticket(intake)
    story = first_answer(inquiry_id)
    await intake.hear(story)
    assert (await rate(intake, inquiry_id, code)).status_code == 202
    story = told(UNHAPPY, after_this=story, inquiry_id=inquiry_id)
    await intake.hear(story)
    return inquiry_id, code, story


async def rate(intake: Intake, inquiry_id: str, code: str, round_: int = 1) -> httpx.Response:
    rating = {"round": round_, "solved": False, "satisfied": "no", "words": "还没好"}
    return await intake.http.post(f"/inquiries/{inquiry_id}/rating", json=rating, headers={"X-Query-Code": code})


async def test_the_answer_of_the_first_round_stays_while_the_second_runs(intake: Intake) -> None:
    inquiry_id, code, story = await reopened(intake)
    seen = (await intake.look(inquiry_id, code)).json()
    assert (seen["state"], seen["round"], seen["reply"]) == ("reopened", 2, None)
    [first] = seen["rounds"]
    assert (first["round"], first["reply"]["paragraphs"][0]["text"]) == (1, "灯亮了")
    assert seen["answer_due_at"] is not None
    page = texts(await opened(intake, inquiry_id, code))
    for words in ("Reopened", "Reply of round 1", "灯亮了", "Your rating", "还没好"):
        assert words in page
    assert "Send rating" not in page
    await intake.hear(
        told(accepted("lighting"), contributed("lighting", "又亮了"), after_this=story, inquiry_id=inquiry_id)
    )
    seen = (await intake.look(inquiry_id, code)).json()
    assert [(one["round"], one["reply"]["paragraphs"][0]["text"]) for one in seen["rounds"]] == [
        (1, "灯亮了"),
        (2, "又亮了"),
    ]
    assert seen["reply"] == seen["rounds"][1]["reply"]
    page = texts(await opened(intake, inquiry_id, code))
    assert ("Reply of round 1" in page, "Reply of round 2" in page, "Send rating" in page) == (True, False, True)


async def test_a_rating_that_is_sent_again_after_it_reopened_the_inquiry_gets_the_same_answer(intake: Intake) -> None:
    inquiry_id, code, _ = await reopened(intake)
    again = await rate(intake, inquiry_id, code)
    assert again.status_code == 202
    assert len(await intake.ledger.of(inquiry_id)) == 2
    assert (await rate(intake, inquiry_id, code, 2)).status_code == 409


async def test_the_form_asks_once_why_and_takes_the_rating_without_words_then(intake: Intake) -> None:
    inquiry_id, code = await a_ticket(intake)
    await intake.hear(first_answer(inquiry_id))
    form = {
        "inquiry_id": inquiry_id,
        "code": code,
        "round": "1",
        "solved": "false",
        "satisfied": "mostly",
        "words": " ",
    }
    asked = await intake.http.post("/status/rating", data=form, params={"lang": "en"})
    assert asked.status_code == 422
    for words in ("Why not? What is still wrong?", "send the rating as it is", 'name="asked" value="true"'):
        assert words in asked.text
    assert 'value="false" required checked' in asked.text
    assert (await intake.look(inquiry_id, code)).json()["rated"] == []
    taken = await intake.http.post("/status/rating", data=form | {"asked": "true"}, params={"lang": "en"})
    assert taken.status_code == 200
    assert (await intake.look(inquiry_id, code)).json()["ratings"][0]["words"] is None


async def test_the_form_does_not_ask_a_content_resident_or_one_who_wrote_why(intake: Intake) -> None:
    for rating in (
        {"solved": "true", "satisfied": "mostly"},
        {"solved": "false", "satisfied": "no", "words": "还没好"},
    ):
        inquiry_id, code = await a_ticket(intake)
        await intake.hear(first_answer(inquiry_id))
        form = {"inquiry_id": inquiry_id, "code": code, "round": "1", **rating}
        assert (await intake.http.post("/status/rating", data=form)).status_code == 200
        assert (await intake.look(inquiry_id, code)).json()["rated"] == [1]


async def test_a_closed_inquiry_shows_its_answer_and_the_reason(intake: Intake) -> None:
    inquiry_id, code = await a_ticket(intake)
    await intake.hear(told(rated(), closed(), after_this=first_answer(inquiry_id), inquiry_id=inquiry_id))
    seen = (await intake.look(inquiry_id, code)).json()
    assert (seen["state"], seen["reply"]["paragraphs"][0]["text"]) == ("closed", "灯亮了")
    page = texts(await opened(intake, inquiry_id, code))
    for words in ("Closed", "灯亮了", "已两次答复，处理符合规定。"):
        assert words in page
