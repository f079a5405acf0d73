"""Reads a mail: who sent it, what it says, and whether a program wrote it. Pure, and bounded for every mail."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses
from typing import NamedTuple

from services.intake.domain import EMAIL
from services.intake.mail.charsets import Decoded, decode, header_text
from services.intake.mail.html_text import text_of
from shared.contracts.ids import digest

MAIL_BYTES_MAX = 10 * 1024 * 1024
HEADER_BYTES_MAX = 128 * 1024
PARTS_MAX = 100
HTML_CHARACTERS_MAX = 1_000_000
CONTAINERS = re.compile(rb"(?i)content-type:\s*(?:multipart|message)/")
END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
MESSAGE_ID = re.compile(r"<([^<>\s]{1,300})>")
NAME_MAX = 100
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class UnreadableMail(Exception):
    """A mail that intake does not take; the sentence is for its sender."""


class Attachment(NamedTuple):
    """A file, or a mail, in a mail. `content` is None when it cannot be read."""

    name: str
    media_type: str
    content: bytes | None


@dataclass(frozen=True)
class ParsedMail:
    """What a mail says. `sender` is the address in From, None unless there is exactly one.

    `digest` is that of the mail without what relays add, so that the same mail by another way has the same one.
    `automatic` says why no person wrote it; None for a person's mail.
    """

    message_id: str
    digest: str
    sender: str | None
    sender_name: str | None
    subject: str
    text: str
    replaced: bool
    attachments: tuple[Attachment, ...]
    recipients: tuple[str, ...]
    references: tuple[str, ...]
    automatic: str | None


def parse(content: bytes) -> ParsedMail:
    """Read a mail. Raises UnreadableMail with a sentence."""
    end = END_OF_HEADERS.search(content)
    head, body = (content[: end.start()], content[end.end() :]) if end else (content, b"")
    if len(head) > HEADER_BYTES_MAX:
        raise UnreadableMail(f"The headers have more than {HEADER_BYTES_MAX} bytes.")
    if len(CONTAINERS.findall(content)) > PARTS_MAX:
        raise UnreadableMail(f"The mail has more than {PARTS_MAX} parts.")
    try:
        mail = message_from_bytes(content, policy=compat32)
        parts = [part for _, part in zip(range(PARTS_MAX + 1), mail.walk(), strict=False)]
    except (RecursionError, ValueError, LookupError) as error:
        raise UnreadableMail("The mail cannot be read.") from error
    if len(parts) > PARTS_MAX:
        raise UnreadableMail(f"The mail has more than {PARTS_MAX} parts.")
    headers = _Headers(mail)
    senders = headers.addresses("from")
    name, sender = senders[0] if len(senders) == 1 else ("", None)
    subject, found = headers.text("subject"), _Content()
    found.read(mail)
    ids = MESSAGE_ID.findall(headers.text("message-id").text)
    kept = b"\n".join(headers.raw(one) for one in ("from", "subject", "date", "message-id"))
    return ParsedMail(
        message_id=ids[0] if ids else "",
        digest=digest(kept + b"\n\n" + body),
        sender=sender,
        sender_name=clean(name)[:NAME_MAX] or None,
        subject=clean(subject.text),
        text=clean("\n\n".join(found.texts)),
        replaced=subject.replaced or found.replaced,
        attachments=tuple(found.attachments),
        recipients=tuple(one for field in ("to", "cc") for _, one in headers.addresses(field)),
        references=tuple(MESSAGE_ID.findall(f"{headers.text('in-reply-to').text} {headers.text('references').text}")),
        automatic=_automatic(headers, mail),
    )


def clean(text: str) -> str:
    """Text that every store takes: one kind of line break, and a mark instead of characters that cannot be stored."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return UNSTORABLE.sub("\ufffd", lines).strip()


class _Headers:
    """The headers of the mail itself, as bytes; `email` would refuse or change bytes outside ASCII."""

    def __init__(self, mail: Message) -> None:
        self.found: dict[str, list[bytes]] = {}
        for name, value in mail.raw_items():
            self.found.setdefault(name.lower(), []).append(str(value).encode("utf-8", "surrogateescape"))

    def raw(self, name: str) -> bytes:
        return b"\n".join(self.found.get(name, ()))

    def text(self, name: str) -> Decoded:
        return header_text(self.raw(name))

    def addresses(self, name: str) -> list[tuple[str, str]]:
        """Names and addresses that intake can store. Names are decoded after the parsing: they may have commas."""
        lines = [decode(one, None).text for one in self.found.get(name, ())]
        try:
            pairs = getaddresses([" ".join(one.split()) for one in lines])
        except RecursionError:
            return []
        found = [(header_text(words.encode("utf-8", "replace")).text, one.strip()) for words, one in pairs if one]
        return [(words, one) for words, one in found if EMAIL.fullmatch(one) and len(one) <= 254 and one.isprintable()]


class _Content:
    """The texts and files of a mail, in order."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.attachments: list[Attachment] = []
        self.replaced = False

    def read(self, part: Message) -> None:
        kind = part.get_content_maintype()
        if kind == "multipart" and part.is_multipart():
            children = [one for one in part.get_payload() if isinstance(one, Message)]
            if part.get_content_subtype() == "alternative":
                self._read_one_of(children)
            else:
                for one in children:
                    self.read(one)
        elif kind == "message" or is_file(part):
            self.attachments.append(_attachment(part))
        elif words := self._words(part).strip():
            self.texts.append(words)

    def _read_one_of(self, children: list[Message]) -> None:
        """The plain text, if it has words; else the form that has some."""
        plain = [one for one in children if one.get_content_type() == "text/plain" and not is_file(one)]
        others = [one for one in children if one not in plain]
        for one in plain:
            if words := self._words(one).strip():
                self.texts.append(words)
                # The other forms say the same, but may hold the pictures.
                inside = (each for other in others for each in other.walk())
                self.attachments += [_attachment(each) for each in inside if not each.is_multipart() and is_file(each)]
                return
        for one in others:
            self.read(one)

    def _words(self, part: Message) -> str:
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        charset = part.get_param("charset")
        found = decode(data, charset if isinstance(charset, str) else None)
        self.replaced = self.replaced or found.replaced
        if part.get_content_subtype() != "html":
            return found.text
        if len(found.text) > HTML_CHARACTERS_MAX:
            raise UnreadableMail(f"The HTML has more than {HTML_CHARACTERS_MAX} characters.")
        return text_of(found.text)


def is_file(part: Message) -> bool:
    """Whether a part is no text of the letter: another type, or text that is sent as a file."""
    return part.get_content_disposition() == "attachment" or part.get_content_maintype() not in ("text", "multipart")


def _attachment(part: Message) -> Attachment:
    payload = None if part.is_multipart() else part.get_payload(decode=True)
    name = header_text((part.get_filename() or "").encode("utf-8", "replace")).text[:NAME_MAX]
    return Attachment(
        name or part.get_content_type(), part.get_content_type(), payload if isinstance(payload, bytes) else None
    )


def _automatic(headers: _Headers, mail: Message) -> str | None:
    """Why no person wrote the mail: RFC 3834 and the headers of mailing lists; None for a person's mail."""
    submitted = headers.text("auto-submitted").text.partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        return "auto-submitted"
    if headers.text("precedence").text.strip().lower() in ("bulk", "junk", "list"):
        return "bulk"
    if "list-id" in headers.found:
        return "list"
    if "x-chorus-event" in headers.found:
        return "own-mail"
    return "report" if mail.get_content_type() == "multipart/report" else None
