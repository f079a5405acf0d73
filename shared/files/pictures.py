"""Cleans pictures: decodes them and encodes the pixels again, so that nothing else of the file remains.

Gone are EXIF (position, camera), XMP, comments, colour profiles, previews, and whatever follows the picture in the file.
"""

import io
import warnings
from collections.abc import Mapping
from typing import Any, BinaryIO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from shared.files.cleaned import Cleaned
from shared.files.kinds import GIF, JPEG, KINDS, PNG, WEBP, Kind
from shared.files.limits import PIXELS_MAX, THUMBNAIL_SIDE, WEBP_PIXELS_MAX
from shared.files.refusals import FileRefused

DECODERS = {JPEG: ("JPEG", "MPO"), PNG: ("PNG",), WEBP: ("WEBP",), GIF: ("GIF",)}
"""A telephone's JPEG may hold further pictures (MPO); only the first one, which every program shows, is kept."""
ENCODERS: Mapping[Kind, Mapping[str, Any]] = {
    JPEG: {"format": "JPEG", "quality": 90, "optimize": True},
    PNG: {"format": "PNG"},
}
THUMBNAIL: Mapping[str, Any] = {"format": "JPEG", "quality": 80}
UNREADABLE = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError)
"""What Pillow raises for a damaged picture, depending on where the damage is."""


def cleaned_picture(file: BinaryIO, kind: Kind) -> Cleaned:
    """The picture and its thumbnail. Raises FileRefused."""
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = upright(opened(file, kind))
            stored_as = stored_kind(kind, picture)
            content = encoded(picture, stored_as)
            picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
            thumbnail = io.BytesIO()
            opaque(picture).save(thumbnail, **THUMBNAIL)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileRefused("too-many-pixels") from error
    except FileRefused:
        raise
    except UNREADABLE as error:
        raise FileRefused("broken") from error
    return Cleaned(KINDS[stored_as.media_type].media_type, content, thumbnail.getvalue())


def opened(file: BinaryIO, kind: Kind) -> Image.Image:
    """The first picture of the file, decoded. Raises FileRefused, and what Pillow raises for a damaged file."""
    picture = Image.open(file, formats=DECODERS[kind])
    if picture.width * picture.height > (WEBP_PIXELS_MAX if kind is WEBP else PIXELS_MAX):
        raise FileRefused("too-many-pixels")
    if kind is not JPEG and getattr(picture, "is_animated", False):
        raise FileRefused("moving-picture")
    picture.load()
    return picture


def upright(picture: Image.Image) -> Image.Image:
    """The pixels as a viewer shows them: turned as EXIF says, in the colours of sRGB.

    Each step replaces the picture before it: the largest ones take 150 MB.
    """
    profile = picture.info.get("icc_profile")
    picture = ImageOps.exif_transpose(picture)
    if profile and picture.mode in ("RGB", "CMYK"):
        picture = in_srgb(picture, profile)
    has_alpha = picture.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in picture.info
    mode = "RGBA" if has_alpha else "L" if picture.mode in ("1", "L") else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    # Encoders copy comments, profiles and resolutions from here.
    picture.info = {}
    return picture


def in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """The picture in the colours of sRGB; as it is, if its profile is damaged."""
    try:
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, io.BytesIO(profile), srgb, outputMode="RGB") or picture
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return picture


def stored_kind(kind: Kind, picture: Image.Image) -> Kind:
    """How the picture is stored: a GIF as PNG; a WebP, whose encoder needs twice as much memory, as JPEG or PNG."""
    if kind is WEBP:
        return PNG if picture.mode == "RGBA" else JPEG
    return PNG if kind is GIF else kind


def encoded(picture: Image.Image, kind: Kind) -> bytes:
    output = io.BytesIO()
    (opaque(picture) if kind is JPEG else picture).save(output, **ENCODERS[kind])
    return output.getvalue()


def opaque(picture: Image.Image) -> Image.Image:
    """The picture on white, for a format without transparency."""
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white
