"""Photos for `chorus demo --full`, made in memory: with a position and a camera, as a telephone writes them."""

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

SIZE = (320, 240)
LATITUDE, LONGITUDE = (31.0, 14.0, 27.5), (121.0, 28.0, 9.25)


def photo(camera: str) -> bytes:
    """A JPEG with a position, and with the name of this camera."""
    exif = Image.Exif()
    exif[Base.Make] = exif[Base.Model] = camera
    exif.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSLatitudeRef: "N",
            GPS.GPSLatitude: LATITUDE,
            GPS.GPSLongitudeRef: "E",
            GPS.GPSLongitude: LONGITUDE,
        }
    )
    output = io.BytesIO()
    Image.linear_gradient("L").resize(SIZE).convert("RGB").save(output, "JPEG", exif=exif, comment=camera.encode())
    return output.getvalue()


def position(content: bytes) -> Mapping[int, Any]:
    """What a picture says about its position; empty if it says nothing. Raises ValueError if it is no picture."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            return dict(picture.getexif().get_ifd(IFD.GPSInfo))
    except OSError as error:
        raise ValueError(f"{len(content)} bytes are not a picture") from error
