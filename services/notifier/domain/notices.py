"""Notices: which news is mailed, and to whom. Their texts become a mail when it is sent."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from shared.contracts.resident_messages import ResidentTold
from shared.events.case_events import DueTimes, PartOfferedEvent
from shared.runtime.languages import Lang
from shared.runtime.translations import gettext_noop

Kind = Literal["resident", "department"]
SUBJECTS: Mapping[str, str] = {
    "registered": gettext_noop("Message received"),
    "assigned": gettext_noop("Sent to the departments"),
    "replied": gettext_noop("News about your message"),
    "answered": gettext_noop("Reply to your message"),
    "supplemented": gettext_noop("Addition to the reply"),
    "corrected": gettext_noop("The reply to your message is corrected"),
    "retracted": gettext_noop("The reply to your message no longer holds"),
    "refused": gettext_noop("Your message is not accepted"),
    "withdrawn": gettext_noop("Your message is withdrawn"),
    "link": gettext_noop("Your link"),
    "asked": gettext_noop("A question about your message"),
    "reminded": gettext_noop("We still need your answer"),
    "extended": gettext_noop("New date for the reply"),
    "closed": gettext_noop("Your message is closed"),
    "reopened": gettext_noop("Your message is open again"),
    "rating-reminder": gettext_noop("Please rate the reply"),
}
"""What each mail to a resident is about, as its heading. Other news is only shown on the ticket's page."""
NEUTRAL: Mapping[str, str] = {
    "registered": gettext_noop("We have received a message with this address as its contact."),
    "assigned": gettext_noop("The message has been sent to the departments that must answer it."),
    "replied": gettext_noop("There is news about the message. You can read it on its page."),
    "answered": gettext_noop("There is a reply to the message. You can read it on its page."),
    "supplemented": gettext_noop("There is an addition to the reply. You can read it on its page."),
    "corrected": gettext_noop("The reply to the message is corrected. You can read both texts on its page."),
    "retracted": gettext_noop("The reply to the message no longer holds. You can read the reason on its page."),
    "refused": gettext_noop("The city does not take up the message. You can read the reason on its page."),
    "withdrawn": gettext_noop("The message is withdrawn."),
    "link": gettext_noop("Somebody with the ticket number asked for the link to the message."),
    "asked": gettext_noop("There is a question about the message. Please answer it on its page."),
    "reminded": gettext_noop("A question about the message waits for an answer. You can read it on its page."),
    "extended": gettext_noop("The reply to the message has a new date. You can read it on its page."),
    "reopened": gettext_noop("The message is being handled again."),
    "rating-reminder": gettext_noop("There is a reply to the message. Please rate it on its page."),
    "closed": gettext_noop("The message is closed. You can read the reason on its page."),
}
"""What an unconfirmed address is told: no words of anybody."""
PART = "part"
ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+")
JOINERS = {"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}
"""Format characters inside visible signs: the joiners of emoji and of several scripts, the tags in emoji of flags."""
BREAKS = {"Cc", "Cs", "Zl", "Zp"}


class Offer(NamedTuple):
    """A part offered to a department."""

    part_id: str
    department: str
    role: str
    due: DueTimes


@dataclass(frozen=True, slots=True)
class Notice:
    """News for one recipient. `id` is the id of the event that causes it, so a repeat has the same id.

    `what` is that of `resident.told`, or PART. `n` and `place` give the order within an inquiry, `at` is when the event
    was recorded. `subject` is the resident's, on one line.
    """

    id: str
    kind: Kind
    inquiry_id: str
    to: str | None
    what: str
    n: int
    place: int
    at: datetime
    language: Lang
    subject: str | None = None
    text: str | None = None
    offer: Offer | None = None


def one_line(text: str) -> str:
    """Text for a header: breaks and control characters become spaces, invisible format characters go, joiners stay."""
    kept = "".join(" " if unicodedata.category(one) in BREAKS else one for one in text)
    return " ".join("".join(one for one in kept if unicodedata.category(one) != "Cf" or one in JOINERS).split())


def for_resident(id_: str, told: ResidentTold, n: int, place: int, at: datetime) -> Notice | None:
    """The notice to a resident; None without an address, and for news that is not mailed."""
    address = told.contact.email if told.contact else None
    if not address or told.what not in SUBJECTS:
        return None
    return Notice(
        id_,
        "resident",
        told.inquiry_id,
        address,
        told.what,
        n,
        place,
        at,
        told.case.language,
        one_line(told.case.subject),
        told.text,
    )


def for_department(
    id_: str, inquiry_id: str, part: PartOfferedEvent, address: str, sequence: int, at: datetime
) -> Notice:
    """The notice to a department about a new part, which contains ids and times only."""
    offer = Offer(part.part_id, part.department, part.role, part.due)
    return Notice(id_, "department", inquiry_id, address, PART, sequence, 0, at, "zh", offer=offer)


def hidden(address: str) -> str:
    """An address as operators may see it: enough to recognise it, not enough to use it. Idempotent."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain}"


def unaddressed(text: str) -> str:
    """A mail server's answer with every address in it hidden."""
    return ADDRESS.sub(lambda found: hidden(found[0].lstrip("'")), text)
