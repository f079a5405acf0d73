"""The address for replies to our mails: it names the ticket, and proves that the writer has got one of its mails."""

import hmac
from collections.abc import Iterable

from shared.contracts import ids

TOKEN_DIGITS = 20
"""80 bits. With the ticket number, the name stays below the 64 characters that mail servers take."""


def reply_address(secret: bytes, mailbox: str, inquiry_id: str) -> str:
    """The address to which a resident replies, such as `chorus+20261122-e94nxpqx-0123456789abcdef0123@city.example`."""
    name, _, domain = mailbox.rpartition("@")
    return f"{name}+{inquiry_id.lower()}-{_token(secret, inquiry_id)}@{domain}"


def ticket_of(secret: bytes, mailbox: str, addresses: Iterable[str]) -> str | None:
    """The ticket that one of these addresses proves; None without a valid one. Mail servers may change upper and lower case."""
    for address in addresses:
        name, _, domain = address.lower().rpartition("@")
        own, _, tag = name.partition("+")
        if f"{own}@{domain}" != mailbox.lower():
            continue
        number, _, token = tag.rpartition("-")
        inquiry_id = ids.typed_inquiry_id(number)
        if inquiry_id is not None and hmac.compare_digest(token.encode(), _token(secret, inquiry_id).encode()):
            return inquiry_id
    return None


def is_mailbox(mailbox: str, address: str) -> bool:
    """Whether an address, without its tag, is this mailbox."""
    name, _, domain = address.lower().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}" == mailbox.lower()


def _token(secret: bytes, inquiry_id: str) -> str:
    # A ticket number never begins with "chorus", so no query code comes from the same HMAC.
    return hmac.digest(secret, f"chorus/mail/replies/{inquiry_id}".encode(), "sha256").hex()[:TOKEN_DIGITS]
