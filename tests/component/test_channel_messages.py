"""What gateways send: only signed, once for each id, under the channel's own name, and only about the account's own tickets."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.additions import Additions
from services.intake.channels.webhooks import WRONG_SIGNATURES, ChannelMessages, channel_routes
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from shared.channels.gateways import Gateway
from shared.channels.signatures import signed_headers
from shared.contracts import ids
from shared.kafka import topics
from shared.ledger.ledger import Ledger
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import StoreUnavailable
from tests.builders import contributed, received, told
from tests.component.test_intake import BEARER, GOOD, SECRET, Intake, intake, problem
from tests.endings import erased
from tests.fakes import header
from tests.gateways import KEY, OLD_KEY

__all__ = ["intake"]
GATEWAYS = {name: Gateway(name, (KEY,)) for name in ("wechat", "kiosk-2")} | {"app": Gateway("app", (OLD_KEY,))}
INQUIRY: dict[str, Any] = {"type": "inquiry", "account": "open-id-7", **GOOD}


class Channels:
    """The gateways of an intake."""

    def __init__(self, intake: Intake, settings: Settings) -> None:
        self.intake = intake
        submissions = Submissions(intake.ledger, intake.city, settings, SECRET)
        tickets = Tickets(intake.store, intake.ledger, settings, SECRET)
        messages = ChannelMessages(submissions, tickets, Additions(tickets), SECRET)
        transport: Any = intake.http._transport
        transport.app.include_router(channel_routes(messages, GATEWAYS))

    async def post(
        self, id_: str, message: Any, channel: str = "wechat", headers: Mapping[str, str] = {}, **signed: Any
    ) -> httpx.Response:
        text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
        given: dict[str, Any] = {"gateway": GATEWAYS["wechat"], "at": timestamps.now(), "body": text} | signed
        own = signed_headers(given["gateway"], id_, given["at"], given["body"])
        sent = {"Content-Type": "application/json", **own, **headers}
        return await self.intake.http.post(f"/channels/{channel}/messages", content=text.encode(), headers=sent)

    async def written(self) -> tuple[str, str]:
        """A ticket of the account, and its code."""
        receipt = (await self.post("m1", INQUIRY)).json()
        return receipt["inquiry_id"], receipt["query_code"]

    async def about(self, ticket: str, id_: str, kind: str, **fields: Any) -> httpx.Response:
        return await self.post(id_, {"type": kind, "inquiry_id": ticket, "account": "open-id-7"} | fields)


@pytest.fixture
async def channels(intake: Intake, settings: Settings) -> Channels:
    return Channels(intake, settings)


# ── new messages ─────────────────────────────────────────────────────────────


async def test_a_new_message_gets_number_code_and_address_and_the_channel_of_its_gateway(channels: Channels) -> None:
    body = INQUIRY | {"channel": "web", "contact": {"phone": "13900000000"}, "public": True, "language": "en"}
    answer = await channels.post("m1", body)
    assert answer.status_code == 202
    receipt = answer.json()
    assert receipt["query_code"] == ids.query_code(SECRET, receipt["inquiry_id"])
    assert receipt["status_url"].endswith(f"?ticket={receipt['inquiry_id']}&code={receipt['query_code']}")
    [row] = await channels.intake.publisher.until(1, topics.INPUTS)
    given = json.loads(row[1] or b"")
    assert (given["channel"], given["account"], given["language"]) == ("wechat", "open-id-7", "en")
    assert (header(row, "ce_actor"), given["contact"]["phone"]) == ("resident", "13900000000")


async def test_a_repeat_of_an_id_gets_the_first_answer_and_other_words_do_not(channels: Channels) -> None:
    first = await channels.post("m1", INQUIRY)
    later = timestamps.now() + timedelta(seconds=90)
    again = await channels.post("m1", INQUIRY, at=later)
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert "another message" in problem(await channels.post("m1", INQUIRY | {"body": "别的"}), 422)["detail"]
    assert (await channels.post("m2", INQUIRY)).json()["inquiry_id"] != first.json()["inquiry_id"]
    assert await channels.intake.ledger.entries.count_documents({}) == 2


async def test_the_same_id_at_another_channel_is_another_message(channels: Channels) -> None:
    first = (await channels.post("m1", INQUIRY)).json()
    other = (await channels.post("m1", INQUIRY, "kiosk-2")).json()
    assert first["inquiry_id"] != other["inquiry_id"]
    key = ids.named_id("key/chorus/webhook/wechat/m1")
    assert await channels.intake.ledger.entries.find_one({"_id": key}) is None, "nobody can take the key of a gateway"


async def test_an_external_id_recognises_a_message_under_a_new_id(channels: Channels) -> None:
    body = INQUIRY | {"external_id": "weibo-77"}
    first, again = (await channels.post("m1", body)).json(), (await channels.post("m2", body)).json()
    assert first == again


@pytest.mark.parametrize(
    "trusted", [{"account": "open-id-7"}, {"account": "open-id-7", "channel": "wechat"}], ids=["web", "wechat"]
)
async def test_nobody_else_may_name_an_account(intake: Intake, trusted: dict[str, Any]) -> None:
    assert "account" in problem(await intake.write(**trusted), 401)["detail"]
    assert (await intake.write(BEARER, **trusted)).status_code == 202


# ── signatures ───────────────────────────────────────────────────────────────


async def test_an_unknown_channel_and_a_wrong_signature_look_alike(channels: Channels) -> None:
    wrong = [
        await channels.post("m1", INQUIRY, "ghosts"),
        await channels.post("m1", INQUIRY, "app"),
        await channels.post("m1", INQUIRY, body=json.dumps(INQUIRY) + " "),
        await channels.post("m1", INQUIRY, headers={"webhook-id": "m2"}),
        await channels.post("m1", INQUIRY, headers={"webhook-signature": "v1,bm90IGl0"}),
        await channels.post("m1", INQUIRY, at=timestamps.now() - timedelta(minutes=6)),
        await channels.post("m1", INQUIRY, at=timestamps.now() + timedelta(minutes=6)),
        await channels.intake.http.post("/channels/wechat/messages", json=INQUIRY),
        await channels.intake.http.post("/channels/wechat/messages", json=INQUIRY, headers=BEARER),
    ]
    assert {(one.status_code, one.text) for one in wrong} == {(401, wrong[0].text)}
    assert await channels.intake.ledger.entries.count_documents({}) == 0


async def test_wrong_signatures_are_limited_and_right_ones_never(channels: Channels) -> None:
    for _ in range(WRONG_SIGNATURES):
        problem(await channels.post("m1", INQUIRY, "ghosts"), 401)
    limited = await channels.post("m1", INQUIRY, "ghosts")
    problem(limited, 429)
    assert int(limited.headers["retry-after"]) > 0
    assert (await channels.post("m1", INQUIRY)).status_code == 202


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("[]", "/type"),
        ("{", ""),
        ({"type": "case.assign"}, "/type"),
        ({"type": ["inquiry"]}, "/type"),
        (INQUIRY | {"account": ""}, "/account"),
        (INQUIRY | {"account": "a\0b"}, "/account"),
        ({**GOOD, "type": "inquiry"}, "/account"),
        (INQUIRY | {"body": " "}, "/body"),
        ({"type": "addition", "account": "x", "text": "y"}, "/inquiry_id"),
        ('{"type": "inquiry", "type": "rating"}', ""),
    ],
    ids=str,
)
async def test_a_wrong_body_is_422_with_a_pointer(channels: Channels, body: Any, pointer: str) -> None:
    assert problem(await channels.post("m1", body), 422)["errors"][0]["pointer"] == pointer


async def test_a_long_id_is_refused(channels: Channels) -> None:
    assert "webhook-id" in problem(await channels.post("m" * 201, INQUIRY), 422)["detail"]


# ── about tickets ────────────────────────────────────────────────────────────


async def test_an_addition_a_rating_and_a_withdrawal_of_the_account(channels: Channels) -> None:
    ticket, code = await channels.written()
    added = [await channels.about(ticket, "m2", "addition", text="在东门。") for _ in range(2)]
    assert added[0].status_code == 202
    assert added[0].json() == added[1].json()
    [shown] = (await channels.intake.look(ticket, code)).json()["additions"]
    assert shown["text"] == "在东门。"
    withdrawn = await channels.about(ticket, "m3", "withdrawal", why="已解决")
    assert withdrawn.status_code == 202
    await channels.intake.hear(told(received("路灯"), contributed("lighting", "亮了"), inquiry_id=ticket))
    rating = {"round": 1, "solved": True, "satisfied": "yes", "words": "谢谢"}
    rated = [await channels.about(ticket, id_, "rating", **rating) for id_ in ("m4", "m5")]
    assert (rated[0].status_code, rated[0].json()) == (202, rated[1].json())
    problem(await channels.about(ticket, "m6", "rating", **rating | {"satisfied": "no"}), 409)
    kinds = [header(row, "ce_type") for row in await channels.intake.publisher.until(4, topics.INPUTS)]
    assert kinds == [f"chorus.inquiry.{kind}" for kind in ("received", "added", "withdrawn", "rated")]


async def test_a_ticket_of_another_account_or_channel_looks_unknown(channels: Channels) -> None:
    ticket, _ = await channels.written()
    receipt = (await channels.intake.write()).json()
    erased_ticket, _ = await channels.written()
    others = [
        await channels.about(ticket, "m2", "addition", text="x", account="open-id-8"),
        await channels.about(receipt["inquiry_id"], "m2", "addition", text="x"),
        await channels.about(receipt["inquiry_id"], "m2", "addition", text="x", account="None"),
        await channels.about("20260316-00000000", "m2", "withdrawal"),
        await channels.about("x", "m2", "rating", round=1, solved=True, satisfied="yes"),
        await channels.post(
            "m2", {"type": "withdrawal", "inquiry_id": ticket, "account": "open-id-7"}, channel="kiosk-2"
        ),
    ]
    assert {(one.status_code, one.text) for one in others} == {(404, others[0].text)}
    await channels.intake.hear(told(received("路灯"), erased(), inquiry_id=erased_ticket))
    gone = await channels.about(erased_ticket, "m2", "addition", text="x")
    assert (gone.status_code, gone.text) == (404, others[0].text)


async def test_nothing_is_lost_while_the_store_is_away(channels: Channels, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "accept", away)
        refused = await channels.post("m1", INQUIRY)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert (await channels.post("m1", INQUIRY)).status_code == 202
