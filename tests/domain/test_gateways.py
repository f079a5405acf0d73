"""The file of channels: what it accepts, and one sentence for each mistake."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest

from services.notifier.domain.notices import TO_GATEWAYS, for_resident
from shared.channels.gateways import Gateway, read_gateways
from shared.channels.signatures import is_signed, signed_headers
from shared.contracts.fields import ChannelAccount, Contact
from shared.contracts.resident_messages import Picture, ResidentTold
from shared.runtime import timestamps
from tests.builders import INQUIRY, MONDAY_NOON
from tests.gateways import KEY, OLD_KEY, channels_file

WECHAT = Gateway("wechat", (KEY,), "https://gateway.example/news")


def test_a_file_has_the_gateways_by_name(tmp_path: Path) -> None:
    text = "wechat: {url: 'https://gateway.example/news', secret_file: secret}\nkiosk: {secret_file: secret}\n"
    found = read_gateways(channels_file(tmp_path, text, f"whsec_{KEY}\n{OLD_KEY}\n"))
    assert found == {
        "wechat": Gateway("wechat", (KEY, OLD_KEY), "https://gateway.example/news"),
        "kiosk": Gateway("kiosk", (KEY, OLD_KEY)),
    }
    assert (read_gateways(None), read_gateways(channels_file(tmp_path, "# nothing yet"))) == ({}, {})


@pytest.mark.parametrize(
    ("text", "keys", "said"),
    [
        ("- wechat", KEY, "must have an entry for each channel"),
        ("a: [", KEY, "is not YAML"),
        ("web: {secret_file: secret}", KEY, "channel 'web': write a name"),
        ("call-13900000000: {secret_file: secret}", KEY, "write a name"),
        ("app: {}", KEY, "secret_file is missing"),
        ("app: {secret_file: secret, token: x}", KEY, "token"),
        ("app: {secret_file: gone}", KEY, "cannot be read"),
        ("app: {secret_file: secret}", "short", "24 random bytes"),
        ("app: {secret_file: secret}", base64.b64encode(b"x" * 23).decode(), "24 random bytes"),
        ("app: {secret_file: secret}", "", "is empty"),
        ("app: {secret_file: secret, url: 'ftp://x'}", KEY, "url 'ftp://x' is not an address"),
        ("app: {secret_file: secret, url: 'https://x:99999'}", KEY, "is not an address"),
    ],
)
def test_a_mistake_is_one_sentence_that_says_where(tmp_path: Path, text: str, keys: str, said: str) -> None:
    with pytest.raises(ValueError, match="CHORUS_CHANNELS_FILE") as raised:
        read_gateways(channels_file(tmp_path, text, keys))
    assert said in str(raised.value)
    assert keys not in str(raised.value) or len(keys) < 8


def test_a_signature_of_any_key_counts_and_an_old_or_changed_message_does_not() -> None:
    now, body = timestamps.now(), '{"text": "亮了"}'
    headers = signed_headers(Gateway("wechat", (KEY, OLD_KEY)), "event-1", now, body)
    assert (headers["webhook-id"], headers["webhook-signature"].count("v1,")) == ("event-1", 2)
    for key in (KEY, OLD_KEY):
        assert is_signed(Gateway("wechat", (key,)), headers, body.encode())
    assert not is_signed(WECHAT, headers, body.encode() + b" ")
    assert not is_signed(WECHAT, headers | {"webhook-id": "event-2"}, body.encode())
    assert not is_signed(WECHAT, {}, body.encode())
    for minutes in (-6, 6):
        past = signed_headers(WECHAT, "event-1", now + timedelta(minutes=minutes), body)
        assert not is_signed(WECHAT, past, body.encode())
    for name, hostile in (
        ("webhook-timestamp", "9" * 400),
        ("webhook-timestamp", "nan"),
        ("webhook-timestamp", "１２"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,不是"),
        ("webhook-signature", "v1," + "%" * 90),
    ):
        assert not is_signed(WECHAT, headers | {name: hostile}, body.encode())
    assert not is_signed(WECHAT, headers, b"\xff")


def told(what: str, account: str | None = "open-id-7", email: str | None = "writer@mail.example") -> ResidentTold:
    contact = Contact(name="陈测试", phone="13900000000", email=email)
    picture = Picture(state="answered", round=1, subject="路灯", language="zh", departments=())
    via = ChannelAccount(channel="wechat", account=account) if account else None
    return ResidentTold(inquiry_id=INQUIRY, what=what, text="亮了", contact=contact, account=via, case=picture)


def test_news_goes_back_the_way_the_message_came() -> None:
    def notice(one: ResidentTold, gateways: tuple[str, ...] = ("wechat",)) -> tuple[str, str | None] | None:
        made = for_resident("event-1", one, 1, 0, MONDAY_NOON, gateways)
        return (made.kind, made.to) if made else None

    assert notice(told("answered")) == ("webhook", "open-id-7")
    assert notice(told("progressed")) == ("webhook", "open-id-7")
    assert notice(told("published")) is None, "what the hall shows is nobody's news"
    assert notice(told("answered", account=None)) == ("resident", "writer@mail.example")
    assert notice(told("answered"), ("microblog",)) == ("resident", "writer@mail.example"), "nobody takes it there"
    assert notice(told("answered", email=None), ()) is None
    assert {"triage", "asked", "link"} <= TO_GATEWAYS


def test_a_gateway_gets_the_picture_and_no_contact() -> None:
    made = for_resident("event-1", told("answered"), 1, 0, MONDAY_NOON, ("wechat",))
    assert made is not None
    assert json.loads(made.picture or "") == {
        "state": "answered",
        "round": 1,
        "subject": "路灯",
        "language": "zh",
        "departments": [],
    }
    assert "13900000000" not in repr(made)
    assert "mail.example" not in repr(made)
