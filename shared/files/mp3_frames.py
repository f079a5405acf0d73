"""The frames of an MP3 stream: FFmpeg copies tags and anything else at its end as if they were sound."""

from collections.abc import Iterator, Mapping

HEADER_BYTES = 4
MPEG1, LAYER_3, LAYER_2 = 3, 1, 2
LOW = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
KILOBITS: Mapping[tuple[bool, int], tuple[int, ...]] = {
    (True, LAYER_3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, LAYER_2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, LAYER_3): LOW,
    (False, LAYER_2): LOW,
}
"""By whether it is MPEG 1, and the layer: the bit rates that a header numbers from 1."""
HERTZ = (44_100, 48_000, 32_000)
"""Of MPEG 1. MPEG 2 has half of each, MPEG 2.5 a quarter."""
HALVINGS = {MPEG1: 1, 2: 2, 0: 4}


def frames(stream: bytes) -> Iterator[bytes]:
    """The complete frames; skips everything between them."""
    at = 0
    while (at := stream.find(b"\xff", at)) >= 0:
        length = frame_length(stream[at : at + HEADER_BYTES])
        if length and at + length <= len(stream):
            yield stream[at : at + length]
        at += length or 1


def frame_length(header: bytes) -> int:
    """The bytes of the frame with this header; 0 if it is no header."""
    if len(header) < HEADER_BYTES or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate, hertz, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    kilobits = KILOBITS.get((version == MPEG1, layer))
    if version not in HALVINGS or kilobits is None or not 0 < rate <= len(kilobits) or hertz == len(HERTZ):
        return 0
    samples_by_8 = 72 if version != MPEG1 and layer == LAYER_3 else 144
    return samples_by_8 * kilobits[rate - 1] * 1000 * HALVINGS[version] // HERTZ[hertz] + padding
