"""A mail server that keeps or rejects mails, and a notifier that sends to it."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from deploy.local.ports import Ports
from services.notifier.channels import email as email_channel
from services.notifier.channels import preparation
from services.notifier.channels.email import MailDelivery
from services.notifier.domain.notices import Notice
from services.notifier.store import NotifierStore
from shared.city import City
from shared.runtime import timestamps
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database, Document
from tests.builders import CITY, INQUIRY
from tests.component.conftest import in_background
from tests.mailing import KEYS, a_notice, writer
from tests.patience import PATIENCE_S


class Picky:
    """An SMTP server whose reply depends on the recipient: `later…`, `never…`, `hangup…`, `silence…`; others are accepted.

    `forgiving` accepts everybody.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.asked: list[str] = []
        self.forgiving = False

    @property
    def taken(self) -> list[str]:
        """The recipients of the kept mails."""
        return [str(one["To"]) for one in self.mails]

    @property
    def events(self) -> list[list[str]]:
        """The events in each kept mail, in order of decision."""
        return [list(reversed(one.get_all("X-Chorus-Event", []))) for one in self.mails]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        self.asked.append(address)
        again = self.asked.count(address) < 3
        if address.startswith("later") and again:
            return "451 try again later"
        if address.startswith("hangup") and again:
            server.transport.close()
        if address.startswith("silence") and again:
            await asyncio.sleep(30)
        if address.startswith("never") and not self.forgiving:
            return f"550 no such mailbox: <{address}>"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 kept"


@asynccontextmanager
async def mail_server(picky: Picky, port: int, **how: Any) -> AsyncIterator[None]:
    talk: Any = partial(SMTP, picky, hostname="picky.example", **how)
    server = await asyncio.get_running_loop().create_server(talk, "127.0.0.1", port)
    async with server:
        yield


@dataclass
class Mailroom:
    """A store with notices to send, the mail server, and processes that send."""

    store: NotifierStore
    picky: Picky = field(default_factory=Picky)
    port: int = field(default_factory=lambda: Ports.free().smtp)

    def process(self, store: NotifierStore | None = None, **settings: Any) -> MailDelivery:
        """A notifier; by default it sends whole mails to everybody."""
        city: CityFeed[City] = CityFeed(lambda revision: revision)
        city.use(CITY)
        given = {"smtp": f"127.0.0.1:{self.port}", "mail_confirm": False} | settings
        return MailDelivery(store or self.store, writer(**given), city)

    @asynccontextmanager
    async def sending(self, *processes: MailDelivery, **settings: Any) -> AsyncIterator[None]:
        """Run the mail server and these processes, or one with these settings."""
        async with mail_server(self.picky, self.port), self.only_sending(*processes, **settings):
            yield

    @asynccontextmanager
    async def only_sending(self, *processes: MailDelivery, **settings: Any) -> AsyncIterator[None]:
        async with in_background(*(one.deliver for one in processes or (self.process(**settings),))):
            yield

    async def add(self, *notices: Notice) -> None:
        await self.store.mails.add_notices(notices, timestamps.now())

    async def deliveries(self) -> dict[str, Document]:
        return {one["_id"]: one async for one in self.store.mails.deliveries.find({})}

    async def until(self, **states: str) -> dict[str, Document]:
        """Wait until the deliveries have these states."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await self.deliveries()
                if all(found[one]["state"] == state for one, state in states.items()):
                    return found
                await asyncio.sleep(0.01)


def fresh(id_: str, to: str = "writer@mail.example", **more: Any) -> Notice:
    """News of this moment."""
    return a_notice(id_, to=to, **({"at": timestamps.now()} | more))


def a_case(name: str, *kinds: str, to: str = "writer@mail.example", **more: Any) -> Sequence[Notice]:
    """News of one case in order; the ids are the case's name and a number."""
    inquiry_id = f"{INQUIRY[:9]}{name.upper():0>8}"
    what = kinds or ("registered", "assigned", "answered")
    return [fresh(f"{name}{n}", to, what=one, inquiry_id=inquiry_id, n=n, **more) for n, one in enumerate(what)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses of processes."""
    monkeypatch.setattr(email_channel, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(email_channel, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(preparation, "SUBJECT_PAUSE", timedelta(seconds=0.02))


@pytest.fixture
async def room(database: Database) -> Mailroom:
    """An empty store, and a mail server that runs while a test asks."""
    store = NotifierStore(database, KEYS)
    await store.prepare()
    return Mailroom(store)
