"""The links in mails and the operators' routes: confirm an address, stop and resume mails, send failed ones again."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from services.notifier.mail import api, pages
from services.notifier.mail.deliveries import FAILED_KEPT
from services.notifier.views import HERE
from shared.http import problems
from shared.runtime import timestamps
from tests.component.mailroom import Mailroom, a_case, fresh, impatient, room
from tests.mailing import KEYS, plain
from tests.patience import PATIENCE_S

__all__ = ["impatient", "room"]
pytestmark = pytest.mark.both_clients
TOKEN = b"the token of the operators"
OPERATOR = {"Authorization": f"Bearer {TOKEN.decode()}"}
UNCONFIRMED: dict[str, Any] = {"mail_confirm": True}


@pytest.fixture
async def http(room: Mailroom) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    app.include_router(api.routes(room.store.mails, TOKEN))
    app.include_router(pages.routes(room.store.mails, room.store.addresses, HERE))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://hall.example") as client:
        yield client


def link(mail: EmailMessage, name: str) -> str:
    """Path and query of a link in a mail."""
    [found] = re.findall(rf"https://hall\.example/mail/{name}\?\S+", plain(mail))
    url = urlsplit(str(found))
    return f"{url.path}?{url.query}"


async def sent_unconfirmed(room: Mailroom) -> EmailMessage:
    await room.add(fresh("one", text="🔒秘密", subject="🔒秘密"))
    async with room.sending(**UNCONFIRMED):
        await room.until(one="sent")
    return room.picky.mails[-1]


# ── confirming an address ────────────────────────────────────────────────────


async def test_after_the_button_mails_have_the_words(room: Mailroom, http: httpx.AsyncClient) -> None:
    mail = await sent_unconfirmed(room)
    assert "秘密" not in plain(mail) + str(mail["Subject"])
    url = link(mail, "confirm")
    for _ in range(2):
        page = await http.get(url)
        assert (page.status_code, "确认此邮箱" in page.text, page.headers["Cache-Control"]) == (200, True, "no-store")
    await http.head(url)
    assert await room.store.addresses.confirmed([KEYS.address("writer@mail.example")]) == set()
    for _ in range(2):
        assert "邮箱已确认" in (await http.post(url)).text
    assert "邮箱已确认" in (await http.get(url)).text
    await room.add(
        fresh("two", text="🔒秘密", subject="🔒秘密", n=2), fresh("three", "other@mail.example", text="🔒秘密")
    )
    async with room.sending(**UNCONFIRMED):
        await room.until(two="sent", three="sent")
    by_event = {str(one["X-Chorus-Event"]): one for one in room.picky.mails}
    assert "秘密" in plain(by_event["two"])
    assert by_event["two"]["Subject"] == mail["Subject"], "the thread keeps its subject"
    assert "秘密" not in plain(by_event["three"])


async def test_a_new_case_of_a_confirmed_address_has_its_subject(room: Mailroom, http: httpx.AsyncClient) -> None:
    await http.post(link(await sent_unconfirmed(room), "confirm"))
    await room.add(*a_case("b", subject="路灯 👨\u200d👩\u200d👧"))
    async with room.sending(**UNCONFIRMED):
        await room.until(b0="sent", b1="sent", b2="sent")
    assert {str(one["Subject"]).partition("] ")[2] for one in room.picky.mails[1:]} == {"路灯 👨\u200d👩\u200d👧"}


async def test_a_link_that_was_not_sent_opens_nothing(room: Mailroom, http: httpx.AsyncClient) -> None:
    mail = await sent_unconfirmed(room)
    stop, confirm = link(mail, "stop"), link(mail, "confirm")
    stranger = KEYS.token("confirm", KEYS.address("stranger@mail.example"))
    wrong = ["/mail/confirm", "/mail/confirm?token=x", confirm.replace("token=", "token=0")]
    wrong += [
        stop.replace("stop?", "confirm?"),
        f"/mail/confirm?token={stranger}",
        "/mail/stop?token=.",
        "/mail/resume",
    ]
    for url in wrong:
        assert (await http.post(url)).status_code == 404, url
        assert (await http.get(url.replace("resume", "stop"))).status_code == 404, url
    assert await room.store.addresses.addresses.count_documents({}) == 0
    assert await room.store.mails.threads.count_documents({"stopped": True}) == 0


@pytest.mark.parametrize(("lang", "said"), [("en", "Your address is confirmed."), ("zh", "邮箱已确认。")])
async def test_the_page_speaks_the_language_of_the_mail(
    room: Mailroom, http: httpx.AsyncClient, lang: str, said: str
) -> None:
    url = link(await sent_unconfirmed(room), "confirm").replace("lang=zh", f"lang={lang}")
    assert said in (await http.post(url)).text


async def test_what_waits_is_sent_whole_as_soon_as_the_address_confirms(
    room: Mailroom, http: httpx.AsyncClient
) -> None:
    await room.add(*(fresh(f"m{n}", inquiry_id=f"20260316-0000000{n}", n=n) for n in range(7)))
    async with room.sending(**UNCONFIRMED):
        async with asyncio.timeout(PATIENCE_S):
            while await room.store.mails.deliveries.count_documents({"state": "sent"}) < 5:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        assert len(room.picky.mails) == 5
        await http.post(link(room.picky.mails[0], "confirm"))
        await room.until(**{f"m{n}": "sent" for n in range(7)})
    assert ["亮了" in plain(one) for one in room.picky.mails] == [False] * 5 + [True] * 2


# ── stopping ─────────────────────────────────────────────────────────────────


async def test_one_click_stops_the_mails_of_one_case(room: Mailroom, http: httpx.AsyncClient) -> None:
    await room.add(*a_case("a")[:1], *a_case("b")[:1])
    async with room.sending():
        await room.until(a0="sent", b0="sent")
        [mail] = [one for one in room.picky.mails if one["X-Chorus-Event"] == "a0"]
        url = str(mail["List-Unsubscribe"])[1:-1].removeprefix("https://hall.example")
        assert url == link(mail, "stop")
        assert "停止接收" in (await http.get(url)).text
        assert await room.store.mails.threads.count_documents({"stopped": True}) == 0
        one_click = await http.post(url, data={"List-Unsubscribe": "One-Click"})
        assert one_click.status_code == 200
        assert "恢复接收" in (await http.get(url)).text
        await room.add(a_case("a")[1], a_case("b")[1])
        await room.until(a1="stopped", b1="sent")
        await http.post(url.replace("stop?", "resume?"))
        await room.add(a_case("a")[2])
        await room.until(a2="sent")


# ── operators ────────────────────────────────────────────────────────────────


async def test_operators_list_mails_by_state_page_by_page(room: Mailroom, http: httpx.AsyncClient) -> None:
    await room.add(*a_case("a", to="never@mail.example"), fresh("one"))
    async with room.sending():
        await room.until(a0="failed", a1="failed", a2="failed", one="sent")
    failed = (await http.get("/mails", params={"state": "failed"}, headers=OPERATOR)).json()
    assert {one["id"] for one in failed["mails"]} == {"a0", "a1", "a2"}
    assert {(one["what"], one["to"], one["state"]) for one in failed["mails"]} == {
        (what, "n***@mail.example", "failed") for what in ("registered", "assigned", "answered")
    }
    first = (await http.get("/mails", params={"limit": 3}, headers=OPERATOR)).json()
    second = (await http.get("/mails", params={"limit": 3, "after": first["next"]}, headers=OPERATOR)).json()
    assert ([len(one["mails"]) for one in (first, second)], second["next"]) == ([3, 1], None)
    assert "亮了" not in str(failed) + str(first)
    for query, status in (({"state": "lost"}, 422), ({"after": "unknown"}, 404), ({"limit": "0"}, 422)):
        assert (await http.get("/mails", params=query, headers=OPERATOR)).status_code == status


async def test_operators_send_a_failed_mail_again(room: Mailroom, http: httpx.AsyncClient) -> None:
    await room.add(fresh("one", "never@mail.example"), fresh("two"))
    async with room.sending():
        await room.until(one="failed", two="sent")
        room.picky.forgiving = True
        again = [await http.post("/mails/one/retry", headers=OPERATOR) for _ in range(2)]
        assert {one.status_code for one in again} <= {202, 409}
        assert again[0].json()["state"] == "waiting"
        await room.until(one="sent")
    assert room.picky.taken.count("never@mail.example") == 1
    for id_, status in (("two", 409), ("unknown", 404)):
        assert (await http.post(f"/mails/{id_}/retry", headers=OPERATOR)).status_code == status


async def test_a_mail_without_words_is_not_sent_again(room: Mailroom, http: httpx.AsyncClient) -> None:
    await room.add(fresh("one", "never@mail.example"))
    async with room.sending():
        await room.until(one="failed")
    await room.store.mails.forget_old(timestamps.now() + FAILED_KEPT + timedelta(seconds=1))
    answer = await http.post("/mails/one/retry", headers=OPERATOR)
    assert (answer.status_code, "is deleted" in answer.json()["detail"]) == (409, True)


async def test_only_operators_see_mails_and_wrong_tokens_are_limited(http: httpx.AsyncClient) -> None:
    assert (await http.get("/mails")).status_code == 401
    wrong = {"Authorization": "Bearer guessed"}
    statuses = [(await http.post("/mails/one/retry", headers=wrong)).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert (await http.get("/mails", headers=OPERATOR)).status_code == 200
