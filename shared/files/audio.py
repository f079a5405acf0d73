"""Cleans sound files: copies the sound into a new file and leaves everything else behind.

The sound itself is not encoded again. Gone are tags (title, maker, position), cover pictures, further tracks, and whatever
else is in the file.
"""

import io
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

import av
from av.error import FFmpegError

from shared.files.cleaned import Cleaned
from shared.files.kinds import AAC, AMR, M4A, MP3, OGG, WAV, Kind
from shared.files.mp3_frames import frames
from shared.files.refusals import FileRefused


class Container(NamedTuple):
    """How a kind is read and written, and the codecs of the sound that may be copied."""

    reader: str
    writer: str
    codecs: tuple[str, ...]
    options: Mapping[str, str] = {}


CONTAINERS: Mapping[Kind, Container] = {
    MP3: Container("mp3", "mp3", ("mp3", "mp3float", "mp2"), {"id3v2_version": "0", "write_xing": "0"}),
    M4A: Container("mov", "ipod", ("aac", "alac")),
    OGG: Container("ogg", "ogg", ("opus", "vorbis")),
    WAV: Container("wav", "wav", ("pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_s32le", "pcm_alaw", "pcm_mulaw")),
    AMR: Container("amr", "amr", ("amrnb", "amrwb", "amr_nb", "amr_wb")),
    AAC: Container("aac", "adts", ("aac",)),
}
BITEXACT = {"fflags": "+bitexact"}
"""FFmpeg then does not write its version into the file."""
COVERS = ("mjpeg", "png", "bmp", "gif", "webp")
"""Codecs of cover pictures, which FFmpeg reports as video."""
MEDIUMS = ("video", "subtitle", "data")


def cleaned_audio(file: BinaryIO, kind: Kind) -> Cleaned:
    """The sound of the file. Raises FileRefused."""
    container = CONTAINERS[kind]
    try:
        content = copied(file, container)
    except FFmpegError as error:
        raise FileRefused("broken") from error
    if kind is MP3:
        content = b"".join(frames(content))
    if not content:
        raise FileRefused("broken")
    return Cleaned(kind.media_type, content)


def copied(file: BinaryIO, container: Container) -> bytes:
    """A new file with the packets of the first track. Raises FileRefused, and FFmpegError for a damaged file."""
    output = io.BytesIO()
    with av.open(file, "r", format=container.reader) as source:
        if any(one.codec_context.name not in COVERS for one in source.streams.video):
            raise FileRefused("video")
        if not source.streams.audio:
            raise FileRefused("broken")
        sound = source.streams.audio[0]
        if sound.codec_context.name not in container.codecs:
            raise FileRefused("unknown-type")
        packets = 0
        with av.open(output, "w", format=container.writer, options={**BITEXACT, **container.options}) as target:
            stream: Any = target.add_stream_from_template(sound)
            stream.metadata.clear()
            for packet in source.demux(sound):
                if packet.dts is None:
                    continue
                packet.stream = stream
                target.mux(packet)
                packets += 1
        if not packets:
            raise FileRefused("broken")
    return output.getvalue()
