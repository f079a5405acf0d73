"""Identifiers: ticket numbers, query codes, and event ids that follow from their causes."""

import hashlib
import hmac
import re
import secrets
from datetime import date
from uuid import UUID

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
INQUIRY_ID = re.compile(r"\d{8}-[0-9A-HJKMNP-TV-Z]{8}")
PART_ID = re.compile(r"(?P<inquiry_id>\d{8}-[0-9A-HJKMNP-TV-Z]{8})-p[1-9]\d*")
DEPARTMENT_CODE_FORM = r"[a-z][a-z0-9-]{1,30}"
DEPARTMENT_CODE = re.compile(DEPARTMENT_CODE_FORM)
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

NAMESPACE = UUID("7c1d1f0a-5a3e-4d6f-9a53-6f2f0d0c9b11")
_IN_NAMESPACE = NAMESPACE.bytes
_PAIRS = [first + second for first in CROCKFORD for second in CROCKFORD]
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def new_inquiry_id(day: date) -> str:
    """A ticket number: the day in the city's time zone, then 40 random bits in Crockford's base 32."""
    return f"{day.isoformat().replace('-', '')}-{_crockford(secrets.randbits(40), 8)}"


def query_code(secret: bytes, inquiry_id: str) -> str:
    """The code that opens a ticket: HMAC-SHA256(secret, inquiry_id), its first 60 bits as 12 Crockford characters."""
    number = int.from_bytes(hmac.digest(secret, inquiry_id.encode(), "sha256")[:8], "big") >> 4
    return _crockford(number, 12)


def _crockford(number: int, characters: int) -> str:
    """An even number of characters, two at a time."""
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(5 * (characters - 2), -1, -10)])


def same_code(given: str, expected: str) -> bool:
    """Compare in constant time, reading a person's I, L and O as Crockford does, without spaces and hyphens."""
    cleaned = given.strip().upper().replace("-", "").replace(" ", "").translate(str.maketrans("ILO", "110"))
    return hmac.compare_digest(cleaned.encode(), expected.encode())


def derived_id(cause: str, what: str) -> str:
    """The id of a thing that follows from `cause`: the same cause gives the same id, however often it is made."""
    return _uuid5(f"{cause}/{what}")


def named_id(name: str) -> str:
    """The id of something known by its name alone: an outbox record, an idempotency key."""
    return _uuid5(name)


def _uuid5(name: str) -> str:
    """UUID version 5 (RFC 9562, 5.5) in the project's namespace."""
    return _uuid(hashlib.sha1(_IN_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest(), 5)


def _uuid(text: str, version: int) -> str:
    """32 or more hexadecimal digits as the text of a UUID, without making an object for each."""
    return f"{text[:8]}-{text[8:12]}-{version}{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def packed_id(text: str) -> bytes | str:
    """The 16 bytes of a UUID as it is written here; any other id as it is."""
    return bytes.fromhex(text.replace("-", "")) if UUID_FORM.fullmatch(text) else text


def unpacked_id(packed: bytes | str) -> str:
    """What `packed_id` packed."""
    if isinstance(packed, str):
        return packed
    text = packed.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def inquiry_of(part_id: str) -> str | None:
    """The ticket number inside a part's id; None if it is not a part's id."""
    found = PART_ID.fullmatch(part_id)
    return found["inquiry_id"] if found else None


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal: whether two bodies are the same bytes."""
    return hashlib.sha256(data).hexdigest()


def new_event_id() -> str:
    """An id for something whose sender gave it none."""
    return _uuid(secrets.token_hex(16), 4)
