"""Decodes the bytes of mails, also if their label is wrong. No byte disappears: what cannot be read becomes U+FFFD."""

import binascii
import codecs
import re
from collections.abc import Sequence
from typing import NamedTuple

from charset_normalizer import from_bytes

MARK = "\ufffd"
SUPERSETS = {
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "gb18030": ("gb18030",),
    "big5": ("big5hkscs", "cp950"),
    "big5hkscs": ("big5hkscs", "cp950"),
    "cp950": ("cp950", "big5hkscs"),
    "euc_kr": ("cp949",),
    "shift_jis": ("cp932",),
    "ascii": ("utf-8",),
    "utf-8": ("utf-8",),
}
"""Senders write the name of the small character set and mean the large one, which reads the same bytes alike."""
OTHERS = ("hz", "cp949", "cp932", "euc_jp", "iso2022_jp", "iso2022_kr", "koi8-r", "koi8-u", "utf-16", "utf-32", "utf-7")
WESTERN = re.compile(r"iso8859-\d+|cp125\d|mac-roman")
"""Character sets that read any bytes, so that a wrong label never fails."""
GUESSES = ["utf_8", "gb18030", "big5hkscs", "cp949", "cp932", "cp1252"]
NAMES = {"x-gbk": "gbk", "gb_2312-80": "gb2312", "cn-gb": "gb2312", "cn-big5": "big5", "x-x-big5": "big5"}
FEW = 0.05
HAN = re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]")
WORD = re.compile(rb"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
BETWEEN_WORDS = re.compile(rb"\s*")
QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")
BASE64 = re.compile(rb"[A-Za-z0-9+/\s]*=*")
FOLD = re.compile(rb"\r?\n[ \t]?|\r")


class Decoded(NamedTuple):
    """`replaced`: some bytes could not be read."""

    text: str
    replaced: bool = False


def decode(data: bytes, label: str | None) -> Decoded:
    """The text of bytes with this label, which may be missing, unknown or wrong."""
    known = _codecs_of(label)
    if (text := _strictly(data, ("utf-8",) if known is None else known)) is not None and not _is_mislabelled(
        data, label
    ):
        return Decoded(text)
    if (text := _strictly(data, ("utf-8",))) is not None:
        return Decoded(text)
    if (chinese := _strictly(data, ("gb18030",))) is not None and _is_chinese(chinese):
        return Decoded(chinese)
    replaced = data.decode((known or ("utf-8",))[0], "replace")
    if known is not None and replaced.count(MARK) <= FEW * len(replaced):
        return Decoded(replaced, MARK in replaced)
    best = from_bytes(data[:100_000], cp_isolation=GUESSES).best()
    if best is not None and (text := _strictly(data, (best.encoding,))) is not None:
        return Decoded(text)
    return Decoded(replaced, MARK in replaced)


def _codecs_of(label: str | None) -> Sequence[str] | None:
    """The codecs for a label; None for one that is missing or names no character set. Never a codec that computes."""
    if not label:
        return None
    name = label.strip().strip("\"'").lower()
    try:
        known = codecs.lookup(NAMES.get(name, name)).name
    except (LookupError, ValueError):
        return None
    if known in SUPERSETS:
        return SUPERSETS[known]
    return (known,) if known in OTHERS or WESTERN.fullmatch(known) else None


def _strictly(data: bytes, names: Sequence[str]) -> str | None:
    for name in names:
        try:
            return data.decode(name)
        except (UnicodeError, LookupError):
            continue
    return None


def _is_mislabelled(data: bytes, label: str | None) -> bool:
    """Whether bytes with a western label, which reads everything, are rather UTF-8 or Chinese."""
    known = _codecs_of(label)
    if data.isascii() or known is None or not WESTERN.fullmatch(known[0]):
        return False
    if _strictly(data, ("utf-8",)) is not None:
        return True
    chinese = _strictly(data, ("gb18030",))
    return chinese is not None and _is_chinese(chinese)


def _is_chinese(text: str) -> bool:
    """Whether nearly all characters outside ASCII are common Chinese ones: in other languages few of them are."""
    foreign = [one for one in text if not one.isascii()]
    return len(foreign) > 1 and len(HAN.findall(text)) >= 0.9 * len(foreign) and len(foreign) > 0.3 * len(text)


def header_text(raw: bytes) -> Decoded:
    """The text of a header: encoded words in any character set, bytes outside ASCII, and plain text; on one line."""
    line = FOLD.sub(b" ", raw)
    parts: list[tuple[bytes, str | None]] = []
    at, after_word = 0, False
    for found in WORD.finditer(line):
        between = line[at : found.start()]
        word = _word(found[2], found[3])
        label = found[1].decode("ascii", "replace").partition("*")[0]
        if word is None:
            continue
        if between and not (after_word and BETWEEN_WORDS.fullmatch(between)):
            parts.append((between, None))
            after_word = False
        if after_word and parts[-1][1] == label:
            # A sender may cut a character between two words.
            parts[-1] = (parts[-1][0] + word, label)
        else:
            parts.append((word, label))
        at, after_word = found.end(), True
    parts.append((line[at:], None))
    decoded = [decode(data, label) for data, label in parts if data]
    text = "".join(one.text for one in decoded)
    clean = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return Decoded(clean, any(one.replaced for one in decoded))


def _word(form: bytes, data: bytes) -> bytes | None:
    """The bytes in an encoded word; None when they cannot be read, so that the word stays as it is."""
    if form in b"qQ":
        return QUOTED.sub(lambda found: bytes([int(found[1], 16)]), data.replace(b"_", b" "))
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4)) if BASE64.fullmatch(data) else None
    except binascii.Error:
        return None
