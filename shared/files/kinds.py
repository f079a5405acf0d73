"""The types of files that Chorus accepts, and the type of a file by its first bytes.

The type of a file is the one under which its decoder reads it: this table only chooses the decoder, which then refuses
whatever it cannot read. Neither the name nor the type that the sender states counts.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from shared.files.refusals import FileRefused, RefusalCode

Family = Literal["picture", "pdf", "audio"]
HEAD_BYTES = 16


class Kind(NamedTuple):
    """A type of file: its media type, what reads it, and the endings of its names, the usual one first."""

    media_type: str
    family: Family
    endings: tuple[str, ...]


JPEG = Kind("image/jpeg", "picture", ("jpg", "jpeg"))
PNG = Kind("image/png", "picture", ("png",))
WEBP = Kind("image/webp", "picture", ("webp",))
GIF = Kind("image/gif", "picture", ("gif",))
PDF = Kind("application/pdf", "pdf", ("pdf",))
MP3 = Kind("audio/mpeg", "audio", ("mp3",))
M4A = Kind("audio/mp4", "audio", ("m4a", "mp4"))
OGG = Kind("audio/ogg", "audio", ("ogg", "oga", "opus"))
WAV = Kind("audio/wav", "audio", ("wav",))
AMR = Kind("audio/amr", "audio", ("amr",))
AAC = Kind("audio/aac", "audio", ("aac",))
KINDS: Mapping[str, Kind] = {one.media_type: one for one in (JPEG, PNG, WEBP, GIF, PDF, MP3, M4A, OGG, WAV, AMR, AAC)}
"""The kinds by their media type. A GIF is stored as PNG, a WebP as JPEG or PNG."""
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"%PDF-", PDF),
    (b"OggS", OGG),
    (b"#!AMR\n", AMR),
    (b"ID3", MP3),
)
CONTAINERS: Mapping[bytes, Kind | RefusalCode] = {b"WEBP": WEBP, b"WAVE": WAV, b"AVI ": "video"}
"""What a RIFF file contains."""


def kind_of(head: bytes) -> Kind:
    """The kind of a file by its first HEAD_BYTES bytes. Raises FileRefused."""
    if not head:
        raise FileRefused("empty")
    if (found := next((kind for start, kind in STARTS if head.startswith(start)), None)) is not None:
        return found
    if head.startswith(b"RIFF"):
        contained = CONTAINERS.get(head[8:12], "unknown-type")
        if isinstance(contained, Kind):
            return contained
        raise FileRefused(contained)
    if head[4:8] == b"ftyp":
        if head[8:12] in HEIC_BRANDS:
            raise FileRefused("heic")
        return M4A
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return AAC if head[1] & 0x06 == 0 else MP3
    raise FileRefused("video" if head.startswith(b"\x1a\x45\xdf\xa3") else "unknown-type")
