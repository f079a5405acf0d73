"""A cleaned file: what is stored and served."""

from typing import NamedTuple


class Cleaned(NamedTuple):
    """The content of a file without hidden data, its media type, and a small JPEG of a picture."""

    media_type: str
    content: bytes
    thumbnail: bytes | None = None
