"""What `chorus demo --full` sees from outside: tickets, pages, hall, feed, mails, the desk and topics."""

import email
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email import policy
from pathlib import Path
from typing import Any

import httpx

from deploy.cli.demo.account import DemoMail
from deploy.cli.demo.mails import CONFIRM
from deploy.cli.demo.topic_watch import TopicWatch, WatchedRecord
from deploy.local.stack_file import Urls
from shared.kafka.topics import EVENTS, inbox

NOT_FOUND = httpx.codes.NOT_FOUND
FEED_PAGES = 5


@dataclass
class PlayedCase:
    """A message that a story has sent, with its ticket."""

    story: int
    subject: str
    inquiry_id: str
    code: str
    email: str | None
    language: str
    answers: bool = True
    """Whether the story leads it to an answer."""

    def part(self, number: int) -> str:
        """The id of its part with this number."""
        return f"{self.inquiry_id}-p{number}"


class MailFolder:
    """The mails that arrive in the folder of the local stack from now on, by recipient."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = {file.name for file in folder.glob("*.eml")}
        self._mails: dict[str, list[DemoMail]] = {}

    def to(self, address: str | None) -> list[DemoMail]:
        """The mails to an address so far, the oldest first."""
        for file in sorted(self._folder.glob("*.eml")):
            if file.name not in self._read:
                self._read.add(file.name)
                mail = email.message_from_bytes(file.read_bytes(), policy=policy.default)
                body = mail.get_body(("plain",))
                text = body.get_content() if body else ""
                confirm = CONFIRM.search(text)
                notices, what = (tuple(map(str, mail.get_all(f"X-Chorus-{name}", ()))) for name in ("Event", "What"))
                reply_to, id_ = (str(mail[name] or "") for name in ("Reply-To", "Message-ID"))
                seen = DemoMail(notices, what, text, confirm[0] if confirm else None, reply_to, id_)
                self._mails.setdefault(str(mail["To"]), []).append(seen)
        return list(self._mails.get(address or "", ()))


@dataclass
class Eyes:
    """`http` has no token; `operator` is the header with the operator's token, for the notifier's list of the hall."""

    urls: Urls
    http: httpx.AsyncClient
    operator: Mapping[str, str]
    topics: TopicWatch
    mails: MailFolder

    # ── as the resident ──────────────────────────────────────────────────────

    async def ticket(self, case: PlayedCase) -> dict[str, Any]:
        """The ticket as JSON."""
        where = f"{self.urls.intake}/inquiries/{case.inquiry_id}"
        headers = {"X-Query-Code": case.code, "Accept": "application/json"}
        found: dict[str, Any] = (await self.http.get(where, headers=headers)).raise_for_status().json()
        return found

    async def ticket_page(self, case: PlayedCase) -> str:
        return (await self.http.get(self.ticket_url(case), headers={"Accept": "text/html"})).raise_for_status().text

    def ticket_url(self, case: PlayedCase) -> str:
        return f"{self.urls.intake}/status?ticket={case.inquiry_id}&code={case.code}&lang={case.language}"

    def mails_about(self, case: PlayedCase, what: str) -> list[DemoMail]:
        """The mails to the resident with this news."""
        return [one for one in self.mails.to(case.email) if what in one.what]

    async def download(self, base: str, link: str) -> httpx.Response:
        """What a link to a file gives to anybody who has it; `base` is the URL of the service that made the link."""
        return await self.http.get(f"{base}{link}")

    # ── as anybody ───────────────────────────────────────────────────────────

    async def hall_entry(self, case: PlayedCase) -> str | None:
        """The page of the inquiry in the hall; None when there is none."""
        answer = await self.http.get(self.hall_url(case), headers={"Accept": "text/html"})
        return None if answer.status_code == NOT_FOUND else answer.raise_for_status().text

    def hall_url(self, case: PlayedCase) -> str:
        return f"{self.urls.notifier}/hall/{case.inquiry_id}"

    async def feed_item(self, case: PlayedCase) -> dict[str, Any] | None:
        """The item of the inquiry among the newest of the feed; None when there is none."""
        where: str | None = f"{self.urls.notifier}/hall/feed.json"
        for _ in range(FEED_PAGES):
            if where is None:
                break
            feed = (await self.http.get(where)).raise_for_status().json()
            found: list[dict[str, Any]] = [one for one in feed["items"] if one["id"].endswith(case.inquiry_id)]
            if found:
                return found[0]
            where = feed.get("next_url")
        return None

    async def clocks(self, case: PlayedCase) -> list[dict[str, Any]]:
        """The clocks of the inquiry at the scorer; empty until it knows the inquiry."""
        answer = await self.http.get(f"{self.urls.scorer}/inquiries/{case.inquiry_id}/clocks")
        found: list[dict[str, Any]] = [] if answer.status_code == NOT_FOUND else answer.raise_for_status().json()
        return found

    def events(self, case: PlayedCase, type_: str | None = None) -> list[WatchedRecord]:
        """The events of the inquiry so far, from `inquiries.events`."""
        return self.topics.about(EVENTS, case.inquiry_id, type_)

    async def all_public(self, case: PlayedCase) -> dict[str, str]:
        """Everything that the resident or the public can read about an inquiry, by place."""
        hall = await self.http.get(f"{self.urls.notifier}/hall", headers={"Accept": "text/html"})
        feed = await self.http.get(f"{self.urls.notifier}/hall/feed.json")
        return {
            "the page of the ticket": await self.ticket_page(case),
            "the ticket": json.dumps(await self.ticket(case), ensure_ascii=False),
            "the hall": hall.raise_for_status().text,
            "the entry of the hall": await self.hall_entry(case) or "",
            "the feed": feed.raise_for_status().text,
            "a mail": "\n".join(one.text for one in self.mails.to(case.email)),
            "an event": "\n".join(one.value.decode() for one in self.events(case)),
        }

    # ── as a department, and as staff ────────────────────────────────────────

    def inbox(self, case: PlayedCase, code: str, type_: str | None = None) -> list[WatchedRecord]:
        """The messages about the inquiry in the inbox of a department so far."""
        return self.topics.about(inbox(code), case.inquiry_id, type_)

    async def publication(self, case: PlayedCase) -> dict[str, Any] | None:
        """The newest masked version, as `chorus hall list` gets it; None when there is none."""
        answer = await self.http.get(f"{self.urls.notifier}/publications/{case.inquiry_id}", headers=self.operator)
        found: dict[str, Any] | None = None
        if answer.status_code != NOT_FOUND:
            found = answer.raise_for_status().json()
        return found
