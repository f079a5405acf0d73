"""The release on a whole stack: before it no word of the reply is visible, at it everything happens once."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.city import SAMPLE
from tests.backing import Backing
from tests.conftest import chorus_up
from tests.integration.outside import departments_write, read_all
from tests.integration.test_staff import FIRST, SECOND, Town
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.integration

SECRETS = ("机密甲", "机密乙", "机密开头", "机密意见", "机密丙")


@pytest.fixture(scope="module")
def town(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A stack whose policies want two approvers; `running` skips it where a stack cannot run."""
    folder = tmp_path_factory.mktemp("release")
    city = folder / "city"
    shutil.copytree(SAMPLE, city)
    policies = city / "policies.yaml"
    policies.write_text("\n\n".join(with_two(one) for one in policies.read_text("utf-8").split("\n\n")), "utf-8")
    with chorus_up(folder / "data", {}) as stack:
        one = Town(stack)
        done = one.chorus(None, "apply", str(city), "--yes")
        assert done.returncode == 0, done.stderr
        yield one


def with_two(policy: str) -> str:
    """One policy of the file, with two approvers and without a review of what the hall shows."""
    if "- id:" not in policy:
        return policy
    lines = [line for line in policy.rstrip().splitlines() if not line.startswith(("  release:", "  publication:"))]
    return "\n".join([*lines, "  release: {approvers: 2}", "  publication: automatic", ""])


def written(town: Town) -> dict[str, Any]:
    """A public message to two departments."""
    message = {
        "subject": "路灯不亮",
        "body": "三盏路灯坏了半个月。",
        "departments": [FIRST, SECOND],
        "public": True,
        "contact": {"email": "writer@mail.example"},
    }
    receipt: dict[str, Any] = httpx.post(url(town, "intake", "/inquiries"), json=message, trust_env=False).json()
    until(lambda: town.get("coordinator", path(receipt)).status_code == 200, "the inquiry is not decided")
    return receipt


def url(town: Town, service: str, where: str) -> str:
    return f"{town.file['urls'][service]}{where}"


def path(receipt: dict[str, Any]) -> str:
    return f"/cases/{receipt['inquiry_id']}"


def case(town: Town, receipt: dict[str, Any], who: str = "approver") -> Any:
    return town.get(who, path(receipt)).json()


def waiting(town: Town, receipt: dict[str, Any], version: int) -> Any:
    """The reply, once this version of it waits."""

    def look() -> Any:
        seen = case(town, receipt)
        reply = seen["reply"]
        return reply if seen["state"] == "awaiting-release" and reply["version"] == version else None

    return until(look, f"version {version} does not wait")


def command(town: Town, who: str, receipt: dict[str, Any], *words: str) -> tuple[int, str]:
    done = town.chorus(who, "case", "command", receipt["inquiry_id"], *words)
    return done.returncode, done.stderr


def ticket(town: Town, receipt: dict[str, Any]) -> Any:
    where = url(town, "intake", f"/inquiries/{receipt['inquiry_id']}")
    return httpx.get(where, headers={"X-Query-Code": receipt["query_code"]}, timeout=PATIENCE_S, trust_env=False).json()


def seen_from_outside(town: Town, receipt: dict[str, Any]) -> dict[str, str]:
    """Every page, feed, mail and public record of the inquiry, as text."""
    number = receipt["inquiry_id"]
    places = {
        "ticket": ticket_page(receipt),
        "hall": httpx.get(url(town, "notifier", "/hall"), timeout=PATIENCE_S, trust_env=False).text,
        "entry": httpx.get(url(town, "notifier", f"/hall/{number}"), timeout=PATIENCE_S, trust_env=False).text,
        "feed": httpx.get(url(town, "notifier", "/hall/feed.json"), timeout=PATIENCE_S, trust_env=False).text,
        "ticket as JSON": json.dumps(ticket(town, receipt), ensure_ascii=False),
        "the other department": town.get(f"clerk-{SECOND}", path(receipt)).text,
        "mails": "\n".join(mails(town)),
    }
    records = read_all(town.file["kafka"], ["inquiries.events", "residents.inbox"])
    return places | {"topics": "\n".join(one.value.decode() for one in records if one.key == number)}


def ticket_page(receipt: dict[str, Any]) -> str:
    """The page of the ticket, which shows its number."""
    with httpx.Client(trust_env=False, timeout=PATIENCE_S, follow_redirects=True) as browser:
        page = browser.get(receipt["status_url"], headers={"accept": "text/html"}).text
    assert receipt["inquiry_id"] in page
    return page


def mails(town: Town) -> list[str]:
    """The decoded texts of all mails to the resident."""
    texts = []
    for file in sorted(Path(town.file["mail"]).glob("*.eml")):
        mail = message_from_bytes(file.read_bytes())
        if "writer@mail.example" in (mail["to"] or ""):
            parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
            texts.append("\n".join(one.decode() for one in parts if isinstance(one, bytes)))
    return texts


def test_no_word_of_a_reply_is_visible_before_its_release_and_then_everything_once(town: Town) -> None:
    receipt = written(town)
    number = receipt["inquiry_id"]
    kafka = town.file["kafka"]
    departments_write(kafka, FIRST, "part.contributed", {"part_id": f"{number}-p1", "text": "机密甲"})
    assert command(town, f"clerk-{SECOND}", receipt, "contribute", f"part_id={number}-p2", "text=机密乙")[0] == 0
    first = waiting(town, receipt, 1)
    departments_write(kafka, FIRST, "reply.edit", {"inquiry_id": number, "opening": "机密开头"})
    second = waiting(town, receipt, 2)
    assert (second["opening"], second["text"].startswith("机密开头\n\n")) == ("机密开头", True)
    status, said = command(town, "approver", receipt, "approve", f"text_hash={first['sha256']}")
    assert (status, "is not the hash of version 2" in said) == (4, True)
    refusing = ("refuse-release", "words=机密意见", f"part_id={number}-p2")
    assert command(town, "approver", receipt, *refusing)[0] == 0
    assert command(town, f"clerk-{SECOND}", receipt, "contribute", f"part_id={number}-p2", "text=机密丙")[0] == 0
    third = waiting(town, receipt, 3)
    assert command(town, "approver", receipt, "approve", f"text_hash={third['sha256']}")[0] == 0
    assert command(town, "approver", receipt, "approve", f"text_hash={third['sha256']}")[0] == 4
    until(lambda: ticket(town, receipt)["state"] == "awaiting-release", "the ticket does not show that it waits")

    outside = seen_from_outside(town, receipt)
    assert [
        (place, word)
        for place, text in outside.items()
        for word in SECRETS
        if word in text and not (place == "the other department" and word in ("机密乙", "机密丙"))
    ] == []
    assert ticket(town, receipt)["reply"] is None

    made = town.chorus(None, "user", "add", "second", "--role", "approver", "--json")
    token = town.tokens / "second.token"
    token.write_text(json.loads(made.stdout)["token"])
    assert command(town, "second", receipt, "approve", f"text_hash={third['sha256']}")[0] == 0
    os.kill(town.file["pids"]["router"], signal.SIGKILL)
    answered = until(lambda: seen if (seen := ticket(town, receipt))["state"] == "answered" else None, "no answer")
    assert answered["reply"]["text"] == third["text"]
    assert [one["text"] for one in answered["reply"]["paragraphs"]] == ["机密甲", "机密丙"]
    feed = url(town, "notifier", "/hall/feed.json")
    until(lambda: number in httpx.get(feed, timeout=PATIENCE_S, trust_env=False).text, "no entry in the hall")
    once(town, receipt)


def once(town: Town, receipt: dict[str, Any]) -> None:
    """The answer has one id on the topics, one item in the feed, one entry and one notice by mail."""
    number = receipt["inquiry_id"]
    records = [
        one for one in read_all(town.file["kafka"], ["inquiries.events", "residents.inbox"]) if one.key == number
    ]
    told = {one.headers["ce_id"] for one in records if one.data.get("what") == "answered"}
    events = {one.headers["ce_id"] for one in records if one.headers["ce_type"] == "chorus.inquiry.answered"}
    assert (len(told), len(events)) == (1, 1)
    feed = httpx.get(url(town, "notifier", "/hall/feed.json"), timeout=PATIENCE_S, trust_env=False).json()
    items = [one for one in feed["items"] if one["id"].endswith(number)]
    assert [one["content_text"].count("机密开头") for one in items] == [1]
    assert "机密乙" not in items[0]["content_text"]
    page = ticket_page(receipt)
    assert [word for word in ("机密开头", "机密甲", "机密丙") if word not in page] == []
    [event] = told

    def sent() -> int:
        files = Path(town.file["mail"]).glob("*.eml")
        return sum(event in message_from_bytes(one.read_bytes()).get_all("X-Chorus-Event", []) for one in files)

    until(sent, "no mail about the answer")
    assert sent() == 1
