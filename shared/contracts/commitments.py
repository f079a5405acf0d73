"""Commitments: how a fact that is published permanently refers to a text that can be erased.

A commitment is the SHA-256 of a salt followed by the UTF-8 text. Its salt is HMAC-SHA256(the input's salt, the place of
the text in its decision): one salt for each input is enough, and without it nobody can verify a guessed text.
"""

import hashlib
import hmac
import secrets
from typing import TypedDict

SALT_BYTES = 32


class Commitment(TypedDict):
    sha256: str
    """Hexadecimal."""


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def commitment(salt: bytes, place: str, text: str) -> Commitment:
    """Commit to a text; `place` is `<index of the fact in its decision>/<field>`."""
    key = hmac.digest(salt, place.encode(), "sha256")
    return {"sha256": hashlib.sha256(key + text.encode()).hexdigest()}
