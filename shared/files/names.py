"""File names: what is stored of a name, and how a download names the file (RFC 6266, RFC 8187)."""

import unicodedata
from urllib.parse import quote

from shared.files.kinds import KINDS
from shared.files.limits import NAME_BYTES_MAX, NAME_CHARACTERS_MAX

FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Controls and line breaks, and marks that change the direction of text: they could make `exe.jpg` of `gpj.exe`."""
UNNAMED = "file"
TOKEN = "!#$&+-.^_`|~"
"""The signs that need no escape in `filename*`."""


def file_name(given: str, media_type: str) -> str:
    """The name for a file: without folders, on one line, not too long, with an ending that fits the type."""
    last = given.replace("\\", "/").rpartition("/")[2]
    shown = "".join(" " if unicodedata.category(one) in FORBIDDEN else one for one in last)
    name = " ".join(unicodedata.normalize("NFC", shown).split()).lstrip(". ")
    endings = KINDS[media_type].endings
    stem, dot, ending = name.rpartition(".")
    if not dot or ending.lower() not in endings:
        stem, ending = name, endings[0]
    return f"{_shortened(stem, len(ending) + 1) or UNNAMED}.{ending}"


def _shortened(stem: str, more: int) -> str:
    short = stem[: NAME_CHARACTERS_MAX - more]
    return short.encode()[: NAME_BYTES_MAX - more].decode(errors="ignore").rstrip(". ")


def disposition(name: str) -> str:
    """The header `Content-Disposition` with which a browser saves a file under this name and does not open it."""
    plain = "".join(one if " " <= one <= "~" and one not in '"\\%' else "_" for one in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=TOKEN)}"
