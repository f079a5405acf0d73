"""Channels on a whole stack: a mail and its reply by SMTP, and a call that staff enter, in one pass."""

import json
import smtplib
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import RunningStack
from tests.incoming import a_mail
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.integration


def test_a_mail_its_reply_and_a_call(stack: RunningStack) -> None:
    found: dict[str, Any] = json.loads((stack.data / "stack.json").read_text())
    host, _, port = found["smtp_in"].rpartition(":")

    def post(mail: Any) -> None:
        with smtplib.SMTP(host, int(port), timeout=PATIENCE_S) as client:
            assert client.send_message(mail) == {}

    def received(what: str) -> Any:
        """The mail about this news that the resident got."""
        for file in sorted(Path(found["mail"]).glob("*.eml")):
            mail = message_from_bytes(file.read_bytes(), policy=default)
            if what in mail.get_all("X-Chorus-What", []) and mail["To"] == "writer@mail.example":
                return mail
        return None

    post(a_mail())
    registered = until(lambda: received("registered"), "no mail about the registration")
    assert registered["Reply-To"].startswith("chorus+")
    reply = a_mail("在东门。", To=str(registered["Reply-To"]), Message_ID="<m2@mail.example>")
    reply["In-Reply-To"] = registered["Message-ID"]
    post(reply)

    desk, token = found["urls"]["router"], Path(found["operator_token_file"]).read_text().strip()
    with httpx.Client(base_url=desk, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S) as http:

        def added() -> Any:
            cases = http.get("/cases", params={"limit": 100}).json()["cases"]
            mine = [http.get(f"/cases/{one['inquiry_id']}").json() for one in cases if one.get("channel") == "email"]
            return next((one for one in mine if one["additions"]), None)

        case = until(added, "the reply is no addition")
        assert [one["text"] for one in case["additions"]] == ["在东门。"]
        assert case["inquiry"]["contact"]["email"] == "writer@mail.example"
        raw = httpx.get(
            f"{found['urls']['intake']}/inquiries/{case['inquiry_id']}/mails", headers=http.headers, timeout=PATIENCE_S
        )
        assert len(raw.json()["mails"]) == 2

        words = ("--subject", "路灯不亮", "--body", "坏了三天。", "--channel", "hotline", "--by", "王工", "--json")
        entered = stack.chorus("case", "enter", *words)
        assert entered.returncode == 0, entered.stderr
        receipt = json.loads(entered.stdout)
        ticket = httpx.get(receipt["status_url"], timeout=PATIENCE_S)
        assert (ticket.status_code, "王工" in ticket.text) == (200, False)
        known = until(lambda: (http.get(f"/cases/{receipt['inquiry_id']}")).json().get("inquiry"), "not registered")
        assert (known["entered_by"], known["channel"]) == ("王工", "hotline")
