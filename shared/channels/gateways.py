"""Reads the file of channels: the name of each gateway, its address, and the keys that both sides sign with."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.field_errors import what_is_wrong

NAME = re.compile(r"(?!.*[0-9]{6})[a-z][a-z0-9-]{0,30}")
"""A channel is part of public events, so it must not contain a telephone number: at most 5 digits in a row."""
RESERVED = ("web", "import", "other")
KEY_BYTES_MIN = 24
PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway of one channel. `keys` are base64, the newest first: while a key is replaced, both are valid.

    Without `url` the gateway sends messages and takes no news.
    """

    name: str
    keys: tuple[str, ...]
    url: str | None = None


class GatewayEntry(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: Annotated[str, Field(max_length=2_000)] | None = None
    secret_file: str


def read_gateways(path: Path | None) -> Mapping[str, Gateway]:
    """The gateways of a file of channels, by name; none without a file. Raises ValueError with a sentence."""
    if path is None:
        return {}
    try:
        given = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"CHORUS_CHANNELS_FILE names {str(path)!r}, which cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"CHORUS_CHANNELS_FILE {str(path)!r} is not YAML: {error}") from error
    if given is None:
        return {}
    if not isinstance(given, dict):
        sentence = f"CHORUS_CHANNELS_FILE {str(path)!r} must have an entry for each channel, by its name"
        raise ValueError(sentence)  # noqa: TRY004 - a setting is wrong, not a call
    return {name: _gateway(name, entry, path) for name, entry in given.items()}


def _gateway(name: Any, entry: Any, path: Path) -> Gateway:
    where = f"CHORUS_CHANNELS_FILE {str(path)!r}, channel {name!r}"
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in RESERVED:
        raise ValueError(f"{where}: write a name such as wechat (a-z, 0-9 and -), and none of {', '.join(RESERVED)}")
    try:
        given = GatewayEntry.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the entry"
        raise ValueError(f"{where}: {field} {what_is_wrong(first)}") from error
    if given.url is not None:
        _check_url(given.url, where)
    return Gateway(name, _keys(path.parent / given.secret_file, where), given.url)


def _check_url(url: str, where: str) -> None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"{where}: url {url!r} is not an address; write one such as https://gateway.example/chorus")


def _keys(path: Path, where: str) -> tuple[str, ...]:
    try:
        lines = path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{where}: secret_file {str(path)!r} cannot be read: {error}") from error
    keys = tuple(line.removeprefix(PREFIX) for line in lines)
    for key in keys:
        try:
            strong = len(base64.b64decode(key, validate=True)) >= KEY_BYTES_MIN
        except binascii.Error:
            strong = False
        if not strong:
            raise ValueError(
                f"{where}: secret_file {str(path)!r} must have on each line at least {KEY_BYTES_MIN} random bytes in "
                "base64; `openssl rand -base64 32` makes some"
            )
    if not keys:
        raise ValueError(f"{where}: secret_file {str(path)!r} is empty; `openssl rand -base64 32` makes a key")
    return keys
