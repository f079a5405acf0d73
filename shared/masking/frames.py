"""How the process that masks is spoken to: four bytes, the length, and that much JSON."""

import json
from collections.abc import Mapping, Sequence
from struct import Struct

HEAD = Struct(">I")


def framed(content: Mapping[str, Sequence[str]]) -> bytes:
    """The content as a frame; JSON in ASCII, so that any text arrives as it is."""
    body = json.dumps(content).encode()
    return HEAD.pack(len(body)) + body
