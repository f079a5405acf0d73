"""Removes the segments of a JPEG that hold no picture, without decoding it."""

from shared.files.refusals import FileRefused

START = b"\xff\xd8"
SCAN = 0xDA
END = b"\xff\xd9"
KEPT = (0xE0, 0xEE)
"""APP0 (JFIF) and APP14 (Adobe): without them decoders guess the colours."""
KEPT_BYTES_MAX = 64
"""Both are shorter, unless APP0 holds a preview."""


def without_metadata(jpeg: bytes) -> bytes:
    """The JPEG without EXIF, XMP, profiles and comments, and without what follows its end. Raises FileRefused."""
    if not jpeg.startswith(START):
        raise FileRefused("not-cleanable")
    kept, at = bytearray(START), 2
    while True:
        if len(jpeg) < at + 4 or jpeg[at] != 0xFF:
            raise FileRefused("not-cleanable")
        marker = jpeg[at + 1]
        if marker == 0xFF:  # fill bytes before a marker
            at += 1
            continue
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        is_metadata = 0xE0 <= marker <= 0xEF or marker == 0xFE
        if not is_metadata or (marker in KEPT and end - at <= KEPT_BYTES_MAX):
            kept += jpeg[at:end]
        if marker == SCAN:
            return bytes(kept) + scans(jpeg, end)
        at = end


def scans(jpeg: bytes, start: int) -> bytes:
    """The coded picture up to its end. A progressive JPEG has several scans, with tables between them."""
    at = start
    while True:
        at = jpeg.find(b"\xff", at)
        if at < 0 or at + 1 >= len(jpeg):
            return jpeg[start:] + END
        marker = jpeg[at + 1]
        if marker == 0xD9:
            return jpeg[start : at + 2]
        if marker in (0x00, 0xFF) or 0xD0 <= marker <= 0xD7:
            at += 1 if marker == 0xFF else 2
        elif 0xE0 <= marker <= 0xEF or marker == 0xFE or at + 4 > len(jpeg):
            raise FileRefused("not-cleanable")  # metadata between scans: no camera writes it
        else:
            at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
