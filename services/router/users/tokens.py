"""API tokens: 256 random bits behind a prefix that secret scanners recognise; the store has their SHA-256 only."""

import re
import secrets
from hashlib import sha256

PREFIX = "chorus_"
RANDOM_BYTES = 32
FORM = re.compile(rb"chorus_[A-Za-z0-9_-]{43}")
ID_BYTES = 6


def new_token() -> str:
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def new_token_id() -> str:
    """A random id by which people name a token; it says nothing about the token."""
    return secrets.token_hex(ID_BYTES)


def hash_of(token: bytes) -> str:
    """SHA-256 in hexadecimal. A slow password hash would add nothing: nobody can guess 256 random bits."""
    return sha256(token).hexdigest()


def has_form(token: bytes) -> bool:
    """Whether this could be one of our tokens: anything else needs no look-up."""
    return FORM.fullmatch(token) is not None
