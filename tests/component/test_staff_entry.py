"""Staff enter a message on a resident's behalf: who did it is on the log and for staff only, and a repeat is one message."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.router.desk.cases import inquiry_shown
from services.router.desk.entry_api import entry_routes
from services.router.desk.intake_client import IntakeClient
from services.router.domain.staff import StaffUser
from shared.contracts import ids
from shared.http import problems
from shared.kafka import topics
from shared.ledger.ledger import Ledger
from shared.store.mongo import StoreUnavailable
from tests.builders import INQUIRY as TICKET
from tests.builders import received, told
from tests.component.staff import LIGHTING, OPERATOR, OTHERS, TOKEN, bearer, guard
from tests.component.test_intake import GOOD, SECRET, Intake, intake, problem
from tests.component.town import Chorus, Town, chorus, town
from tests.fakes import header

__all__ = ["chorus", "intake", "town"]
CALL: dict[str, Any] = {**GOOD, "channel": "hotline", "contact": {"phone": "13900000000"}}
KEY = "a key of the desk"


@dataclass
class Desk:
    """A desk in front of an intake."""

    intake: Intake
    http: httpx.AsyncClient

    async def enter(self, who: StaffUser = LIGHTING, key: str | None = None, **changed: Any) -> httpx.Response:
        headers = bearer(who) | ({"Idempotency-Key": key} if key else {})
        return await self.http.post("/inquiries", json=CALL | changed, headers=headers)


def desk_before(transport: Any, token: bytes = TOKEN) -> httpx.AsyncClient:
    app = FastAPI()
    problems.install(app)
    app.include_router(entry_routes(IntakeClient("http://intake.example", token, transport), guard()))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk.example")


@pytest.fixture
async def desk(intake: Intake) -> Desk:
    return Desk(intake, desk_before(httpx.ASGITransport(intake.http._transport.app)))  # type: ignore[attr-defined]


async def test_the_staff_member_is_on_the_log_and_the_resident_gets_number_and_code(desk: Desk) -> None:
    answer = await desk.enter(confidential=True)
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    assert receipt["query_code"] == ids.query_code(SECRET, receipt["inquiry_id"])
    [row] = await desk.intake.publisher.until(1, topics.INPUTS)
    given = json.loads(row[1] or b"")
    assert (given["entered_by"], given["channel"], given["confidential"]) == ("lin", "hotline", True)
    assert (header(row, "ce_actor"), header(row, "ce_user")) == ("staff/clerk", "2")
    assert '"lin"' not in (await desk.intake.look(receipt["inquiry_id"], receipt["query_code"])).text


async def test_the_same_key_of_the_same_user_is_one_message(desk: Desk) -> None:
    first, again = [(await desk.enter(key=KEY)).json() for _ in range(2)]
    assert first == again
    assert (await desk.enter(OPERATOR, KEY)).json() != first, "another user's key is another key"
    assert "another message" in problem(await desk.enter(key=KEY, body="别的"), 422)["detail"]
    assert await desk.intake.ledger.entries.count_documents({}) == 2


@pytest.mark.parametrize("who", OTHERS, ids=lambda one: one.role)
async def test_only_some_roles_may_enter_and_a_refusal_names_them(desk: Desk, who: StaffUser) -> None:
    answer = await desk.enter(who)
    if who.role in ("coordinator", "operator"):
        assert answer.status_code == 202
    else:
        assert "allowed roles: clerk, coordinator, operator" in problem(answer, 403)["detail"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"channel": "web"}, "/channel"),
        ({"channel": "import"}, "/channel"),
        ({"subject": " "}, "/subject"),
        ({"contact": {"phone": "x"}}, "/contact/phone"),
        ({"departments": ["ghosts"]}, "/departments/0"),
        ({"by": ""}, "/by"),
    ],
    ids=str,
)
async def test_a_wrong_field_is_told_with_its_pointer(desk: Desk, changed: dict[str, Any], pointer: str) -> None:
    assert problem(await desk.enter(**changed), 422)["errors"][0]["pointer"] == pointer


async def test_nobody_can_say_who_entered_it_without_the_token(desk: Desk) -> None:
    forged = {"user": 1, "role": "operator", "name": "li"}
    assert "entered_by" in problem(await desk.intake.write(entered_by=forged), 401)["detail"]
    answer = await desk.enter(entered_by=forged, external_id="x", account="x", by="somebody else")
    assert answer.status_code == 202
    [row] = await desk.intake.publisher.until(1, topics.INPUTS)
    given = json.loads(row[1] or b"")
    assert (given["entered_by"], "account" in given, header(row, "ce_user")) == ("lin", False, "2")


async def test_the_shared_account_says_who_uses_it(desk: Desk) -> None:
    assert (await desk.enter(OPERATOR, by="王工")).status_code == 202
    [row] = await desk.intake.publisher.until(1, topics.INPUTS)
    assert json.loads(row[1] or b"")["entered_by"] == "王工"


async def test_while_intake_is_away_the_answer_is_503_and_a_repeat_is_safe(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    def broken(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502, text="a proxy")

    for transport in (httpx.MockTransport(unreachable), httpx.MockTransport(broken)):
        answer = await desk_before(transport).post("/inquiries", json=CALL, headers=bearer(LIGHTING))
        assert (problem(answer, 503), answer.headers["retry-after"]) == (answer.json(), "5")
    wrong = desk_before(httpx.ASGITransport(desk.intake.http._transport.app), b"another token")  # type: ignore[attr-defined]
    problem(await wrong.post("/inquiries", json=CALL, headers=bearer(LIGHTING)), 503)

    async def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as store:
        store.setattr(Ledger, "accept", away)
        problem(await desk.enter(key=KEY), 503)
    assert (await desk.enter(key=KEY)).status_code == 202
    assert (await desk.enter(key=KEY)).status_code == 202
    assert await desk.intake.ledger.entries.count_documents({}) == 1


def test_staff_see_who_entered_it_and_events_do_not() -> None:
    story = told(received("路灯不亮", channel="hotline", entered_by="lin", account="open-id-7"))
    assert story.case.inquiry is not None
    shown = inquiry_shown(story.case.inquiry)
    assert (shown["entered_by"], shown["account"]) == ("lin", "open-id-7")
    said = [one for one in story.messages if one.topic != topics.RESIDENTS]
    assert not [one for one in said if b'lin"' in one.value or b"open-id" in one.value]


async def test_the_command_prints_what_to_hand_over(town: Town, chorus: Chorus) -> None:
    receipt = {"inquiry_id": TICKET, "query_code": "K3M49QX27TYA", "status_url": "https://city.example/status"}
    town.says = lambda asked: (202, receipt, {})
    words = ("case", "enter", "--subject", "路灯", "--body", "坏了", "--channel", "window", "--phone", "139 0000 0000")
    done = chorus(*words, "--confidential")
    assert (TICKET in done.out, "K3M4 9QX2 7TYA" in done.out) == (True, True)
    [asked] = [one for one in town.asked if one.path == "/inquiries"]
    assert asked.body["channel"] == "window"
    assert asked.body["contact"] == {"phone": "139 0000 0000"}
    assert chorus(*words, "--json").document == receipt
    town.says = lambda asked: (503, {"title": "x", "detail": "Intake is unavailable."}, {})
    failed = chorus(*words)
    assert (failed.code, "--key " in failed.err) == (3, True)
