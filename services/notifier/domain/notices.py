"""Which news becomes a mail, to whom and in which words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.notifier.domain.deliveries import Kind
from shared.contracts.resident_messages import ResidentTold
from shared.events.case_events import PartOfferedEvent
from shared.runtime import timestamps

MAILED: Mapping[str, tuple[str, str]] = {
    "registered": ("已登记", "registered"),
    "assigned": ("已派单", "on its way"),
    "replied": ("有新进展", "news"),
    "answered": ("已答复", "answered"),
}
"""What a resident gets a mail for, and what its subject line says; everything else is only shown."""


ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+")


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to send. `id` is the id of the event behind it, for ever the same."""

    id: str
    kind: Kind
    inquiry_id: str
    to: str
    subject: str
    text: str
    language: str


def one_line(text: str) -> str:
    """Text for a header: without line breaks and other control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def for_resident(id_: str, told: ResidentTold, public_url: str) -> Notice | None:
    """The mail to a resident, in the language of the message; None without an address or for what is only shown."""
    address = told.contact.email if told.contact else None
    if not address or told.what not in MAILED:
        return None
    zh, en = MAILED[told.what]
    english = told.case.language == "en"
    subject = f"[{told.inquiry_id}] {en if english else zh}: {one_line(told.case.subject)}"
    look = "See the whole case with your number and code" if english else "凭编号和查询码查看全部进展"
    text = f"{told.text}\n\n{look}: {public_url}/inquiries/{told.inquiry_id}\n"
    return Notice(id_, "resident", told.inquiry_id, address, subject, text, told.case.language)


def for_department(id_: str, inquiry_id: str, part: PartOfferedEvent, address: str) -> Notice:
    """The mail to a department about a new part: that it is there and by when, never the resident's words."""
    accept, first_reply, resolve = (timestamps.to_text(due_at) for due_at in part.due)
    text = (
        f"新的分办件 {part.part_id}（{'主办' if part.role == 'lead' else '协办'}）已送达贵单位收件主题。\n"
        f"受理时限 {accept}，首次答复时限 {first_reply}，办结时限 {resolve}。\n\n"
        f"A new part {part.part_id} ({part.role}) is in your inbox topic.\n"
        f"Accept by {accept}, first reply by {first_reply}, resolve by {resolve}.\n"
    )
    subject = f"[{part.part_id}] 新的分办件 / new part"
    return Notice(id_, "department", inquiry_id, address, subject, text, "zh")


def hidden(address: str) -> str:
    """An address as operators may see it: enough to recognise, not enough to use. Hiding it twice changes nothing."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain}"


def unaddressed(text: str) -> str:
    """A mail server's words with every address in them hidden."""
    return ADDRESS.sub(lambda found: hidden(found[0].lstrip("'")), text)
