"""Makes the mail of one or several deliveries: its headers, its links, and its text in both forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime, parseaddr
from urllib.parse import urlencode

from services.notifier.channels.text import MailLinks, MailSender, MailText, department_text, resident_text
from services.notifier.domain.addresses import CONFIRM, STOP, MailKeys, ascii_domain
from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.notices import PART, one_line
from services.notifier.domain.threads import Thread
from shared.channels.reply_address import reply_address
from shared.city import City
from shared.contracts.ids import query_code
from shared.runtime.languages import LANGUAGES, Lang
from shared.runtime.settings import Settings
from shared.runtime.translations import translations


class SubjectHeader(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]  # the stubs disagree on max_count
    """A subject line that keeps its spaces: `email` loses those between two words that it encodes separately."""

    def fold(self, *, policy: Policy) -> str:
        line = str(self)
        if line.isascii() or getattr(policy, "utf8", False):
            return super().fold(policy=policy)
        encoded = Header(line, "utf-8", header_name="Subject").encode(linesep=policy.linesep)
        return f"Subject: {encoded}{policy.linesep}"


class UnbrokenHeader(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]  # the stubs disagree on max_count
    """An address of a page or the id of a mail, which mail programs read as it is: `email` encodes a long one."""

    def fold(self, *, policy: Policy) -> str:
        line = str(self)
        return f"{self.name}: {line}{policy.linesep}" if line.isascii() else super().fold(policy=policy)


HEADERS = HeaderRegistry()
HEADERS.map_to_type("subject", SubjectHeader)
for unbroken in ("list-unsubscribe", "in-reply-to", "references"):
    HEADERS.map_to_type(unbroken, UnbrokenHeader)
POLICY = EmailPolicy(header_factory=HEADERS)


@dataclass(frozen=True)
class MailWriter:
    """Writes mails in the name of a city. The code of a ticket exists only in the mail that it makes."""

    settings: Settings
    secret: bytes
    keys: MailKeys

    def __post_init__(self) -> None:
        """Raises ValueError for an address in the settings that no mail can have: otherwise every mail would fail."""
        for setting in (self.settings.mail_from, self.settings.mail_reply_to):
            if setting:
                _header_address(*own(setting))

    def to_resident(
        self, thread: Thread, mail: Sequence[Delivery], city: City, whole: bool, subject: str | None
    ) -> EmailMessage:
        """The mail to a resident, with words of others if `whole`; `subject` is that of the case, if shown there.

        Raises ValueError as `_message` does.
        """
        language, sender = mail[-1].notice.language, self._sender(city)
        neutral = translations(language).gettext("Your message to %(city)s") % {"city": sender.names[language]}
        links = self.links(thread, whole, language)
        line = f"[{thread.inquiry_id}] {subject or neutral}"
        made = self._message(mail, line, city, resident_text(mail, sender, links))
        if self.settings.mail_in is not None:
            # A reply is then an addition to the ticket. Departments answer elsewhere.
            del made["Reply-To"]
            made["Reply-To"] = _header_address(reply_address(self.secret, self.settings.mail_in, thread.inquiry_id))
        made["Content-Language"] = language
        made["List-Unsubscribe"] = f"<{links.stop}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return made

    def to_department(self, mail: Sequence[Delivery], city: City, subject: str | None) -> EmailMessage:
        """The mail to a department about new parts of one case. Raises ValueError as `_message` does."""
        parts = ", ".join(one.notice.offer.part_id for one in mail if one.notice.offer)
        new_part = " / ".join(translations(language).gettext("New part") for language in LANGUAGES)
        line = f"[{parts}] {new_part}" + (f": {subject}" if subject else "")
        made = self._message(mail, line, city, department_text(mail, subject, self._sender(city)))
        made["Content-Language"] = ", ".join(LANGUAGES)
        return made

    def links(self, thread: Thread, whole: bool, language: Lang) -> MailLinks:
        public = self.settings.public_url
        query = urlencode({"ticket": thread.inquiry_id, "code": query_code(self.secret, thread.inquiry_id)})
        stop = self.keys.token(STOP, thread.inquiry_id, thread.address)
        confirm = self.keys.token(CONFIRM, thread.address)
        return MailLinks(
            status=f"{public}/status?{query}",
            stop=self._page(STOP, stop, language),
            confirm=None if whole else self._page(CONFIRM, confirm, language),
        )

    def _page(self, name: str, token: str, language: Lang) -> str:
        return f"{self.settings.hall_url}/mail/{name}?{urlencode({'token': token, 'lang': language})}"

    def _sender(self, city: City) -> MailSender:
        names: dict[Lang, str] = {"zh": city.name.zh, "en": city.name.en}
        return MailSender(names, city.telephone, self.settings.zone(city.time_zone))

    def _message(self, mail: Sequence[Delivery], subject: str, city: City, text: MailText) -> EmailMessage:
        """The mail with the headers that all mails have. The same deliveries make the same bytes.

        Message-ID is that of the last notice. There is one X-Chorus-Event for each notice, the last one first.
        Raises ValueError for a delivery without words, for a domain that has no form in ASCII, and for an address that a
        mail program would read as another one: `=?` starts an encoded word, which mail programs decode, in an address
        into another recipient, in a subject into further headers.
        """
        last = mail[-1].notice
        if last.to is None or any(one.notice.text is None and one.notice.what != PART for one in mail):
            raise ValueError("The text of this mail is deleted.")
        own_address, own_name = own(self.settings.mail_from)
        own_domain = own_address.rpartition("@")[2]
        made = EmailMessage(POLICY)
        name = own_name or (city.name.en if last.language == "en" else city.name.zh)
        made["From"] = _header_address(own_address, name)
        made["To"] = _header_address(ascii_domain(last.to))
        if self.settings.mail_reply_to:
            made["Reply-To"] = _header_address(*own(self.settings.mail_reply_to))
        made["Subject"] = one_line(subject).replace("=?", "= ?")
        made["Date"] = format_datetime(mail[-1].noted_at.astimezone(self.settings.zone(city.time_zone)))
        made["Message-ID"] = f"<{last.id}@{own_domain}>"
        # No mail has this id: it is the root of the thread, so that mails of all news belong together in any order.
        made["In-Reply-To"] = made["References"] = f"<{last.inquiry_id}@{own_domain}>"
        for one in reversed(mail):
            made["X-Chorus-Event"] = one.id
        for one in reversed(mail):
            made["X-Chorus-What"] = one.notice.what
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(text.plain)
        made.add_alternative(text.html, subtype="html")
        made.set_boundary(f"chorus-{last.id}")
        return made


def own(setting: str) -> tuple[str, str]:
    """The address in a setting, with its domain in ASCII, and the name before it."""
    name, address = parseaddr(setting)
    return ascii_domain(address), name


def _header_address(address: str, name: str = "") -> Address:
    """The address for a header. Raises ValueError if a mail program would read it as another one."""
    if "=?" in address:
        raise ValueError("The address contains '=?', which starts an encoded word.")
    username, _, domain = address.rpartition("@")
    made = Address(display_name=one_line(name).replace("=?", "= ?"), username=username, domain=domain)
    header = EmailMessage()
    header["To"] = made
    if [one.addr_spec for one in header["To"].addresses] != [address]:
        raise ValueError("A mail program would read the address as another one.")
    return made
