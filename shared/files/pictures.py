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
from shared.files.limits import PIXELS_MAX, THUMBNAIL_SIDE
from shared.files.refusals import FileRefused

DECODERS = {JPEG: ("JPEG", "MPO"), PNG: ("PNG",), WEBP: ("WEBP",), GIF: ("GIF",)}
"""A telephone's JPEG may hold further pictures (MPO); only the first one, which every program shows, is kept."""
STORED_AS = {JPEG: JPEG, PNG: PNG, WEBP: WEBP, GIF: PNG}
ENCODERS: Mapping[Kind, Mapping[str, Any]] = {
    JPEG: {"format": "JPEG", "quality": 90, "optimize": True},
    PNG: {"format": "PNG"},
    WEBP: {"format": "WEBP", "quality": 90},
}
THUMBNAIL: Mapping[str, Any] = {"format": "JPEG", "quality": 80}
UNREADABLE = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError)
"""What Pillow raises for a damaged picture, depending on where the damage is."""


def cleaned_picture(file: BinaryIO, kind: Kind) -> Cleaned:
    """The picture and its thumbnail. Raises FileRefused."""
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    stored_as = STORED_AS[kind]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = upright(opened(file, kind))
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
    if picture.width * picture.height > PIXELS_MAX:
        raise FileRefused("too-many-pixels")
    if kind is not JPEG and getattr(picture, "is_animated", False):
        raise FileRefused("moving-picture")
    picture.load()
    return picture


def upright(picture: Image.Image) -> Image.Image:
    """The pixels as a viewer shows them: turned as EXIF says, in the colours of sRGB."""
    profile = picture.info.get("icc_profile")
    turned = ImageOps.exif_transpose(picture)
    if profile and turned.mode in ("RGB", "CMYK"):
        try:
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(turned, io.BytesIO(profile), srgb, outputMode="RGB")
            turned = converted or turned
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass  # a damaged profile: the colours stay as they are
    has_alpha = turned.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in turned.info
    plain = turned.convert("L" if turned.mode in ("1", "L") and not has_alpha else "RGBA" if has_alpha else "RGB")
    # Encoders copy comments, profiles and resolutions from here.
    plain.info = {}
    return plain


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
