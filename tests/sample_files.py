"""Files as people send them: with a position, a camera, a maker, hidden data; and hostile ones."""

import io
import struct
import wave
import zlib

import av
import pikepdf
from PIL import Image, ImageDraw
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

CAMERA = "Hasselblad-X9-secret"
OWNER = "secret-owner-of-the-camera"
LATITUDE, LONGITUDE = (31.0, 14.0, 27.7731), (121.0, 28.0, 9.4217)
SECRETS = (
    CAMERA.encode(),
    OWNER.encode(),
    struct.pack(">II", 277731, 10000),
    struct.pack("<II", 277731, 10000),
    struct.pack(">II", 94217, 10000),
    struct.pack("<II", 94217, 10000),
    b"27.7731",
    b"Exif\0\0",
    b"+31.2410+121.4693",
)
"""What must be gone: the camera, its owner, and the position in every form in which a file below has it."""


def exif() -> Image.Exif:
    """EXIF as a telephone writes it."""
    made = Image.Exif()
    made[Base.Make], made[Base.Model], made[Base.Artist] = CAMERA, CAMERA, OWNER
    made[Base.Orientation] = 6
    made.get_ifd(IFD.Exif)[Base.CameraOwnerName] = OWNER
    made.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSLatitudeRef: "N",
            GPS.GPSLatitude: tuple(IFDRational(round(one * 10000), 10000) for one in LATITUDE),
            GPS.GPSLongitudeRef: "E",
            GPS.GPSLongitude: tuple(IFDRational(round(one * 10000), 10000) for one in LONGITUDE),
        }
    )
    return made


def drawing(size: tuple[int, int] = (80, 40), mode: str = "RGB") -> Image.Image:
    """Something with edges and colours: the left half is red, the right half blue."""
    one = Image.new("RGB", size, "blue")
    ImageDraw.Draw(one).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill="red")
    return one.convert(mode)


def photo(kind: str = "JPEG", size: tuple[int, int] = (80, 40)) -> bytes:
    """A picture with position, camera, XMP and a comment."""
    output = io.BytesIO()
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><o>{OWNER} 27.7731</o></x:xmpmeta>'.encode()
    more = {"comment": OWNER.encode(), "xmp": xmp} if kind == "JPEG" else {"xmp": xmp} if kind == "WEBP" else {}
    drawing(size).save(output, kind, exif=exif(), **more)
    content = output.getvalue()
    if kind == "PNG":
        text = b"Comment\0" + OWNER.encode()
        chunk = struct.pack(">I", len(text)) + b"tEXt" + text + struct.pack(">I", zlib.crc32(b"tEXt" + text))
        content = content[:33] + chunk + content[33:]
    return content


def pdf(picture: bytes | None = None, pages: int = 1) -> bytes:
    """A PDF with a maker, XMP, an attachment, a script, and the photo as it is."""
    jpeg = photo() if picture is None else picture
    with pikepdf.new() as made:
        for _ in range(pages):
            made.add_blank_page()
        with made.open_metadata() as metadata:
            metadata["dc:creator"] = [OWNER]
        made.docinfo["/Author"] = OWNER
        made.attachments["position.txt"] = b"+31.2410+121.4693"
        made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=f"app.alert('{OWNER}')")
        image = pikepdf.Stream(made, jpeg)
        image.update(
            pikepdf.Dictionary(
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=80,
                Height=40,
                ColorSpace=pikepdf.Name.DeviceRGB,
                BitsPerComponent=8,
                Filter=pikepdf.Name.DCTDecode,
                Metadata=made.make_stream(OWNER.encode()),
            )
        )
        made.pages[0].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
        made.pages[0].Contents = made.make_stream(b"q 80 0 0 40 0 0 cm /Im0 Do Q")
        output = io.BytesIO()
        made.save(output, compress_streams=False)
    return output.getvalue()


def wav(seconds: float = 0.2) -> bytes:
    """A recording, with the maker in a chunk of its own."""
    output = io.BytesIO()
    with wave.open(output, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(bytes(range(256)) * int(seconds * 8000 * 2 / 256))
    tag = b"INFOIART" + struct.pack("<I", len(OWNER)) + OWNER.encode()
    tag += b"\0" * (len(tag) % 2)
    content = output.getvalue() + b"LIST" + struct.pack("<I", len(tag)) + tag
    return content[:4] + struct.pack("<I", len(content) - 8) + content[8:]


CODECS = {"mp3": ("mp3", "libmp3lame"), "m4a": ("ipod", "aac"), "ogg": ("ogg", "libopus"), "aac": ("adts", "aac")}


def recording(kind: str) -> bytes:
    """A recording with a maker and a position in its tags."""
    if kind == "wav":
        return wav()
    if kind == "amr":  # a format without tags; each frame is a byte with its mode and 31 bytes of sound
        return b"#!AMR\n" + (b"\x3c" + bytes(31)) * 10
    container, codec = CODECS[kind]
    output = io.BytesIO()
    with av.open(output, "w", format=container) as made:
        made.metadata.update({"artist": OWNER, "title": "+31.2410+121.4693", "location": "+31.2410+121.4693/"})
        stream = made.add_stream(codec, rate=48000)
        assert isinstance(stream, av.AudioStream)
        stream.metadata["handler_name"] = OWNER
        for at in range(10):
            frame = av.AudioFrame(format="s16", layout="mono", samples=960)
            frame.planes[0].update(bytes(1920))
            frame.sample_rate, frame.pts = 48000, at * 960
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return output.getvalue()
