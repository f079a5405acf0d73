"""Mails: which news is mailed, to whom, and the text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from services.notifier.domain.deliveries import Kind
from shared.contracts.resident_messages import ResidentTold
from shared.events.case_events import PartOfferedEvent
from shared.runtime.languages import LANGUAGES, Lang
from shared.runtime.translations import date_and_time, gettext_noop, translations, zone_name

SUBJECTS: Mapping[str, str] = {
    "registered": gettext_noop("Message received: %(subject)s"),
    "assigned": gettext_noop("Sent to the departments: %(subject)s"),
    "replied": gettext_noop("News about your message: %(subject)s"),
    "answered": gettext_noop("Reply to your message: %(subject)s"),
}
"""The subject line of each mail to a resident. Other news is only shown on the ticket's page."""
ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+")


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to send. `id` is the id of the event that causes it, so a repeat has the same id."""

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
    """The mail to a resident, in the language of the message; None without an address, and for news that is not mailed."""
    address = told.contact.email if told.contact else None
    if not address or told.what not in SUBJECTS:
        return None
    texts = translations(told.case.language)
    subject = texts.gettext(SUBJECTS[told.what]) % {"subject": one_line(told.case.subject)}
    track = texts.gettext("Track your message with the ticket number and the query code: %(url)s") % {
        "url": f"{public_url}/inquiries/{told.inquiry_id}"
    }
    text = f"{told.text}\n\n{track}\n"
    return Notice(id_, "resident", told.inquiry_id, address, f"[{told.inquiry_id}] {subject}", text, told.case.language)


def for_department(id_: str, inquiry_id: str, part: PartOfferedEvent, address: str, zone: tzinfo) -> Notice:
    """The mail to a department about a new part, in both languages; it never contains the resident's words."""
    text = "\n\n".join(_new_part(part, zone, language) for language in LANGUAGES) + "\n"
    new_part = " / ".join(translations(language).gettext("New part") for language in LANGUAGES)
    return Notice(id_, "department", inquiry_id, address, f"[{part.part_id}] {new_part}", text, "zh")


def _new_part(part: PartOfferedEvent, zone: tzinfo, language: Lang) -> str:
    """What a new part is and by when it must be handled, with times in the city's time zone."""
    texts = translations(language)
    accept, first_reply, resolve = (date_and_time(due_at, zone, language) for due_at in part.due)
    role = texts.gettext("lead department") if part.role == "lead" else texts.gettext("supporting department")
    return texts.gettext(
        "You have a new part: %(part_id)s (%(role)s). It is in your inbox.\n"
        "Accept it by %(accept)s.\n"
        "Send the resident a first reply by %(first_reply)s.\n"
        "Contribute your answer by %(resolve)s.\n"
        "All times are in %(zone)s."
    ) % {
        "part_id": part.part_id,
        "role": role,
        "accept": accept,
        "first_reply": first_reply,
        "resolve": resolve,
        "zone": zone_name(zone, language),
    }


def hidden(address: str) -> str:
    """An address as operators may see it: enough to recognise it, not enough to use it. Idempotent."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain}"


def unaddressed(text: str) -> str:
    """A mail server's answer with every address in it hidden."""
    return ADDRESS.sub(lambda found: hidden(found[0].lstrip("'")), text)
