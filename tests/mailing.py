"""Deliveries, threads and writers of mails for tests."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from services.notifier.channels.message import MailWriter
from services.notifier.domain.addresses import MailKeys
from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.notices import Notice, Offer
from services.notifier.domain.threads import Thread
from shared.city import City
from shared.events.case_events import DueTimes
from shared.runtime.settings import Settings
from tests.builders import CITY, INQUIRY, MONDAY_NOON, WRITER

SECRET = b"a secret of tests, and long enough"
KEYS = MailKeys.of(SECRET)
EMAIL = WRITER.email or ""


def a_notice(id_: str = "event-1", what: str = "answered", **more: Any) -> Notice:
    """News for a resident."""
    fields: dict[str, Any] = {"to": EMAIL, "n": 1, "place": 0, "at": MONDAY_NOON, "language": "zh"}
    fields |= {"subject": "路灯", "text": "亮了 💡"}
    return Notice(**({"id": id_, "kind": "resident", "inquiry_id": INQUIRY, "what": what} | fields | more))


def an_offer(id_: str = "event-3", number: int = 1, **more: Any) -> Notice:
    """A new part for a department."""
    due = DueTimes(*(MONDAY_NOON + timedelta(days=days) for days in (1, 3, 15)))
    offer = Offer(f"{INQUIRY}-p{number}", "lighting", "lead", due)
    fields: dict[str, Any] = {"kind": "department", "to": "desk@lighting.example", "n": number, "subject": None}
    return a_notice(id_, "part", **(fields | {"text": None, "offer": offer} | more))


def a_delivery(id_: str = "event-1", noted_at: datetime = MONDAY_NOON, **more: Any) -> Delivery:
    """A waiting delivery of news for a resident."""
    return delivery_of(a_notice(id_, **more), noted_at)


def delivery_of(notice: Notice, noted_at: datetime = MONDAY_NOON) -> Delivery:
    return Delivery(notice, "waiting", 0, noted_at, noted_at, thread=thread_of(notice).id, due_at=noted_at)


def thread_of(notice: Notice, **more: Any) -> Thread:
    address = notice.to or ""
    keys = {"address": KEYS.address(address), "mailbox": KEYS.mailbox(address)}
    id_ = f"{notice.inquiry_id}/{notice.kind}/{keys['address']}"
    fields: dict[str, Any] = {"attempts": 0, "news": 1} | keys | more
    return Thread(id=id_, kind=notice.kind, inquiry_id=notice.inquiry_id, **fields)


def resident_mail(
    *mail: Delivery, whole: bool = True, subject: str | None = None, city: City = CITY, **settings: Any
) -> EmailMessage:
    """The mail of these deliveries to a resident."""
    thread = thread_of(mail[-1].notice)
    return writer(**settings).to_resident(thread, mail, city, whole, subject)


def writer(**settings: Any) -> MailWriter:
    fields = {"public_url": "https://city.example", "hall_url": "https://hall.example"} | settings
    return MailWriter(Settings(**fields), SECRET, KEYS)


def plain(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    return _form(mail, "plain")


def html(mail: EmailMessage) -> str:
    """The HTML of a mail."""
    return _form(mail, "html")


def _form(mail: EmailMessage, form: str) -> str:
    body = mail.get_body((form,))
    assert body is not None
    return str(body.get_content())


def ids(mail: Sequence[Delivery]) -> list[str]:
    return [one.id for one in mail]
