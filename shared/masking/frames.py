"""The protocol of the masking process: a length of four bytes, then that many bytes of JSON."""

import json
from collections.abc import Mapping, Sequence
from struct import Struct

HEAD = Struct(">I")


def framed(content: Mapping[str, Sequence[str]]) -> bytes:
    """Encodes the content as a frame. The JSON is ASCII, so that every text arrives unchanged, lone surrogates too."""
    body = json.dumps(content).encode()
    return HEAD.pack(len(body)) + body
