"""E-mail addresses: how they are written for SMTP, and the hashes by which the notifier remembers them."""

import hmac
from dataclasses import dataclass
from typing import Self

import idna

HASH_DIGITS = 32
CONFIRM, STOP = "confirm", "stop"
"""What the tokens of links in mails are for; each is also the last part of its path on the notifier, below /mail."""


def ascii_domain(address: str) -> str:
    """The address with its domain in ASCII (punycode). Raises ValueError with a sentence for an impossible domain."""
    name, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{name}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except UnicodeError as error:
        raise ValueError(f"The domain {domain!r} cannot be written in ASCII for the mail server: {error}.") from error


def canonical(address: str) -> str:
    """One writing for all writings of an address that differ in case or in the form of the domain."""
    try:
        return ascii_domain(address).casefold()
    except ValueError:
        return address.casefold()


def mailbox(address: str) -> str:
    """The address without dots and without a tag after `+` in its name: large providers ignore them.

    Only limits count by it: where they do matter, two unconfirmed neighbours share one hour.
    """
    name, _, domain = canonical(address).rpartition("@")
    return f"{name.partition('+')[0].replace('.', '') or name}@{domain}"


@dataclass(frozen=True, slots=True)
class MailKeys:
    """Keys derived from the secret of query codes: one for the hashes of addresses, one for the tokens in mails."""

    hashes: bytes
    tokens: bytes

    @classmethod
    def of(cls, secret: bytes) -> Self:
        # A ticket number never begins with "chorus", so no query code comes from the same HMAC.
        return cls(*(hmac.digest(secret, f"chorus/mail/{name}".encode(), "sha256") for name in ("hashes", "tokens")))

    def address(self, address: str) -> str:
        return self._hash("address", canonical(address))

    def mailbox(self, address: str) -> str:
        return self._hash("mailbox", mailbox(address))

    def account(self, channel: str, account: str) -> str:
        return self._hash("account", f"{channel}/{account}")

    def token(self, purpose: str, *about: str) -> str:
        """What it is about, and a signature; `about` holds no dots."""
        return ".".join((*about, self._signature(purpose, about)))

    def read(self, purpose: str, token: str) -> tuple[str, ...] | None:
        """What a token is about; None when it was not made here for this purpose."""
        *about, signature = token.split(".")
        expected = self._signature(purpose, tuple(about))
        return tuple(about) if hmac.compare_digest(signature.encode(), expected.encode()) else None

    def _hash(self, kind: str, text: str) -> str:
        return hmac.digest(self.hashes, f"{kind}/{text}".encode(errors="replace"), "sha256").hex()[:HASH_DIGITS]

    def _signature(self, purpose: str, about: tuple[str, ...]) -> str:
        signed = ".".join((purpose, *about)).encode(errors="replace")
        return hmac.digest(self.tokens, signed, "sha256").hex()[:HASH_DIGITS]
