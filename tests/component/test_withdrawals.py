"""A resident withdraws a message over HTTP and on its page, which works without scripts."""

from typing import Any

import httpx
import pytest

from shared.kafka import topics
from tests.builders import accepted, contributed, received, told
from tests.component.test_intake import Intake, intake, problem
from tests.component.test_ticket_pages import a_ticket, answered, opened, texts
from tests.endings import erased, inquiry_withdrawn, refused
from tests.fakes import header

__all__ = ["intake"]


async def withdraw(intake: Intake, ticket: str, code: str, key: str = "", **body: Any) -> httpx.Response:
    headers = {"X-Query-Code": code} | ({"Idempotency-Key": key} if key else {})
    return await intake.http.post(f"/inquiries/{ticket}/withdrawal", json=body, headers=headers)


async def form(intake: Intake, ticket: str, code: str, **fields: str) -> httpx.Response:
    data = {"inquiry_id": ticket, "code": code, **fields}
    return await intake.http.post("/status/withdrawal", params={"lang": "en"}, data=data)


async def test_a_withdrawal_is_written_published_and_shown(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    answer = await withdraw(intake, ticket, code, why="已自行解决")
    assert answer.status_code == 202
    rows = await intake.publisher.until(2, topics.INPUTS)
    assert (header(rows[1], "ce_type"), header(rows[1], "ce_id")) == (
        "chorus.inquiry.withdrawn",
        answer.json()["event_id"],
    )
    seen = (await intake.look(ticket, code)).json()
    assert seen["withdrawal"]["why"] == "已自行解决"
    await intake.hear(told(received("路灯不亮"), inquiry_withdrawn("已自行解决"), inquiry_id=ticket))
    seen = (await intake.look(ticket, code)).json()
    assert (seen["state"], seen["timeline"][-1]["text"]) == ("withdrawn", "您已撤回诉求，已通知承办部门。")


async def test_the_same_withdrawal_gets_the_same_answer_another_reason_does_not(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    first, second = [await withdraw(intake, ticket, code, why="一") for _ in range(2)]
    assert first.json() == second.json()
    assert "cannot be changed" in problem(await withdraw(intake, ticket, code, why="二"), 409)["detail"]
    keyed = await withdraw(intake, ticket, code, key="a key of 16 or more", why="二")
    assert "Idempotency-Key" in problem(keyed, 422)["detail"]
    problem(await withdraw(intake, ticket, code, key="short", why="一"), 422)
    await intake.hear(told(received("路灯不亮"), inquiry_withdrawn("一"), inquiry_id=ticket))
    assert (await withdraw(intake, ticket, code, why="一")).json() == first.json(), "also when it is decided"


async def test_a_wrong_code_withdraws_nothing(intake: Intake) -> None:
    ticket, _ = await a_ticket(intake)
    problem(await withdraw(intake, ticket, "WRONGWRONG22"), 404)
    assert len(await intake.ledger.of(ticket)) == 1


@pytest.mark.parametrize(
    ("why", "pointer"), [("x" * 2_001, "/why"), ("a\0b", "/why"), (7, "/why")], ids=["too long", "nul", "a number"]
)
async def test_a_wrong_reason_is_named(intake: Intake, why: Any, pointer: str) -> None:
    ticket, code = await a_ticket(intake)
    assert problem(await withdraw(intake, ticket, code, why=why), 422)["errors"][0]["pointer"] == pointer


async def test_after_the_answer_or_the_end_there_is_nothing_to_withdraw(intake: Intake) -> None:
    ticket, code = await answered(intake)
    assert "answered" in problem(await withdraw(intake, ticket, code), 409)["detail"]
    for end in (refused(), erased()):
        ticket, code = await a_ticket(intake)
        await intake.hear(told(received("路灯不亮"), end, inquiry_id=ticket))
        problem(await withdraw(intake, ticket, code), 409)
        page = texts(await opened(intake, ticket, code))
        assert "Withdraw your message" not in page


async def test_the_page_asks_once_more_and_then_withdraws(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    await intake.hear(told(received("路灯不亮"), accepted("lighting"), inquiry_id=ticket))
    assert "Withdraw your message" in texts(await opened(intake, ticket, code))
    asked = await form(intake, ticket, code)
    assert "Do you want to withdraw your message?" in texts(asked)
    assert "<script" not in asked.text
    assert len(await intake.ledger.of(ticket)) == 1, "asking changes nothing"
    too_long = await form(intake, ticket, code, act="withdraw", why="x" * 2_001)
    assert too_long.status_code == 422
    assert "2,000" in texts(too_long)
    done = texts(await form(intake, ticket, code, act="withdraw", why="已修好"))
    assert "We have received your withdrawal" in done
    assert "Yes, withdraw" not in done
    again = await form(intake, ticket, code, act="withdraw", why="别的")
    assert "already withdrawn" in texts(again)
    await intake.hear(told(received("路灯不亮"), accepted("lighting"), inquiry_withdrawn("已修好"), inquiry_id=ticket))
    page = texts(await opened(intake, ticket, code))
    assert "Withdrawn by you" in page
    assert "We have received your withdrawal" not in page
    wrong = await form(intake, ticket, "WRONGWRONG22", act="withdraw")
    assert wrong.status_code == 404
    assert (await intake.http.get("/status/withdrawal")).status_code == 303


async def test_a_refused_message_shows_why_and_where_to_turn(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    await intake.hear(told(received("路灯不亮"), refused(), inquiry_id=ticket))
    page = texts(await opened(intake, ticket, code, "zh"))
    assert "不予受理" in page
    assert "请向人民法院提起诉讼。" in page


async def test_the_page_of_an_erased_message_shows_dates_and_no_word(intake: Intake) -> None:
    ticket, code = await answered(intake, contact={"name": "陈测试", "phone": "13900000000"})
    story = told(received("路灯不亮"), contributed("lighting", "灯亮了"), erased(), inquiry_id=ticket)
    await intake.hear(story)
    page = await opened(intake, ticket, code)
    shown = texts(page)
    assert "Your message, your contact details and the replies have been erased." in shown
    for words in ("Erased on", "Gone from the message queues by", "Gone from the backups by", "Answered"):
        assert words in shown
    for gone in ("路灯不亮", "坏了三天", "灯亮了", "人民路", "陈测试", "13900000000", "What you wrote"):
        assert gone not in page.text
    chinese = texts(await opened(intake, ticket, code, "zh"))
    assert "您的诉求、联系方式及答复内容均已删除。" in chinese
