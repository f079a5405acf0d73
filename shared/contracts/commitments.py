"""Commitments: how a fact that is published for ever refers to a text that can be erased.

A commitment is the SHA-256 of a salt followed by the UTF-8 text. Its salt is HMAC-SHA256(the input's salt, the place of
the text in its decision), so one salt an input serves all texts, and nobody without it can test a guess.
"""

import hashlib
import hmac
import secrets
from typing import TypedDict

SALT_BYTES = 32


class Commitment(TypedDict):
    """`sha256` in hexadecimal."""

    sha256: str


def new_salt() -> bytes:
    """32 random bytes, made once for each input."""
    return secrets.token_bytes(SALT_BYTES)


def commitment(salt: bytes, place: str, text: str) -> Commitment:
    """Commit to a text; `place` is `<index of the fact in its decision>/<field>`."""
    key = hmac.digest(salt, place.encode(), "sha256")
    return {"sha256": hashlib.sha256(key + text.encode()).hexdigest()}
