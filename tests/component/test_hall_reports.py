"""Readers report an entry of the hall: over HTTP and with the form, without learning which tickets exist."""

import re
from typing import Any

import httpx
import pytest

from services.intake import links
from services.intake.erasure import erase as erase_at_intake
from services.intake.reports import REPORTS_A_DAY
from shared.contracts.resident_inputs import HallReported
from shared.http.rate_limit import RateLimit
from shared.kafka import topics
from tests.component.test_intake import Intake, intake, problem

__all__ = ["intake"]
UNKNOWN = "20260316-ZZZZZZZZ"
KEY = {"Idempotency-Key": "0123456789abcdef"}


@pytest.fixture(autouse=True)
def answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the even time."""
    monkeypatch.setattr(links, "ANSWER_STEP_S", 0.001)


async def a_ticket(intake: Intake, **more: Any) -> str:
    inquiry_id: str = (await intake.write(**({"public": True} | more))).json()["inquiry_id"]
    return inquiry_id


async def report(intake: Intake, inquiry_id: str, headers: Any = None, **body: Any) -> httpx.Response:
    return await intake.http.post(f"/inquiries/{inquiry_id}/hall-report", json=body, headers=headers)


async def reports(intake: Intake, inquiry_id: str) -> list[str | None]:
    """The words of the reports in the ledger."""
    entries = [one for one in await intake.ledger.of(inquiry_id) if one["type"] == HallReported.type]
    return [HallReported.model_validate_json(one["value"]).words for one in entries]


async def test_a_report_is_written_to_the_log_of_its_inquiry(intake: Intake) -> None:
    inquiry_id = await a_ticket(intake)
    answer = await report(intake, inquiry_id, words="这里有我的名字")
    assert (answer.status_code, set(answer.json())) == (202, {"detail"})
    await intake.publisher.until(2, topics.INPUTS)
    [key, _, headers] = intake.publisher.on(topics.INPUTS)[-1]
    assert (key, dict(headers)["ce_type"], dict(headers)["ce_actor"]) == (
        inquiry_id.encode(),
        b"chorus.hall.reported",
        b"resident",
    )
    assert await reports(intake, inquiry_id) == ["这里有我的名字"]


async def test_the_answer_does_not_tell_whether_the_ticket_is_in_the_hall(intake: Intake) -> None:
    public, private = await a_ticket(intake), await a_ticket(intake, public=False)
    secret, gone = await a_ticket(intake, confidential=True), await a_ticket(intake)
    await erase_at_intake(intake.store, intake.ledger, gone, 100)
    answers = [await report(intake, one) for one in (public, private, secret, gone, UNKNOWN)]
    assert len({(one.status_code, one.text) for one in answers}) == 1
    assert [len(await reports(intake, one)) for one in (public, private, secret, gone)] == [1, 0, 0, 0]


async def test_a_repeat_with_its_key_is_one_report_and_other_words_are_another(intake: Intake) -> None:
    inquiry_id = await a_ticket(intake)
    for words in ("甲", "甲", "乙"):
        assert (await report(intake, inquiry_id, KEY, words=words)).status_code == 202
    assert await reports(intake, inquiry_id) == ["甲", "乙"]
    for words in ("甲", "甲"):
        await report(intake, inquiry_id, words=words)
    assert len(await reports(intake, inquiry_id)) == 4


async def test_a_client_that_reports_too_often_waits(intake: Intake) -> None:
    inquiry_id = await a_ticket(intake)
    intake.reports._clients = RateLimit(1, 60)
    assert (await report(intake, inquiry_id)).status_code == 202
    refused = await report(intake, inquiry_id)
    problem(refused, 429)
    assert int(refused.headers["retry-after"]) > 0


async def test_a_flood_from_everywhere_does_not_fill_the_log_of_a_case(intake: Intake) -> None:
    inquiry_id = await a_ticket(intake)
    for number in range(REPORTS_A_DAY + 3):
        assert (await report(intake, inquiry_id, words=str(number))).status_code == 202
    assert len(await reports(intake, inquiry_id)) == REPORTS_A_DAY


@pytest.mark.parametrize("body", [{"words": "x" * 1_001}, {"words": 1}, {"words": "\0"}, []])
async def test_an_invalid_report_is_422(intake: Intake, body: Any) -> None:
    inquiry_id = await a_ticket(intake)
    answer = await intake.http.post(f"/inquiries/{inquiry_id}/hall-report", json=body)
    problem(answer, 422)
    assert await reports(intake, inquiry_id) == []


async def test_the_form_works_without_scripts_and_counts_once(intake: Intake) -> None:
    inquiry_id = await a_ticket(intake)
    page = await intake.http.get("/report", params={"ticket": inquiry_id, "lang": "en"})
    assert (page.status_code, "<script" in page.text, inquiry_id in page.text) == (200, False, True)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    for _ in range(2):
        answer = await intake.http.post("/report", data=fields | {"words": "有我的电话"}, params={"lang": "en"})
        assert (answer.status_code, "Thank you for your report" in answer.text) == (202, True)
    assert await reports(intake, inquiry_id) == ["有我的电话"]


async def test_a_form_that_cannot_be_taken_comes_back_with_what_was_typed(intake: Intake) -> None:
    inquiry_id = await a_ticket(intake)
    typed = {"inquiry_id": inquiry_id, "words": "长" * 1_001}
    answer = await intake.http.post("/report", data=typed)
    assert (answer.status_code, "长" * 1_001 in answer.text, 'role="alert"' in answer.text) == (422, True, True)
    intake.reports._clients = RateLimit(1, 60)
    await intake.http.post("/report", data=typed | {"words": "一"})
    answer = await intake.http.post("/report", data=typed | {"words": "二"})
    assert (answer.status_code, "二" in answer.text, "retry-after" in answer.headers) == (429, True, True)


@pytest.mark.parametrize("ticket", ["", "x", "20260316-7KQ2M9X", "<script>", "\0"])
async def test_a_form_for_what_is_no_ticket_number_is_404(intake: Intake, ticket: str) -> None:
    assert (await intake.http.get("/report", params={"ticket": ticket})).status_code == 404
    assert (await intake.http.post("/report", data={"inquiry_id": ticket})).status_code == 404
