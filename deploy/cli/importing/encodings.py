"""In which encoding a file is written: found out from the whole file, refused where that leaves a doubt."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.cli.importing.content import CHUNK, UTF_8_MARK, UTF_16_MARKS, FileProblem, opened
from deploy.cli.importing.plausibility import Survey

SAMPLE_BYTES = 64 * 1024
# Enough to see that a file is not written in an encoding; that it is, all of it has to say.
FIRST_BYTES = 4 << 20
CERTAINLY_BROKEN = 100_000
FEW = 100
NUL_MAX = 0.05
# In Chinese text that is not UTF-8 one pair of bytes in seven can be read as UTF-8, in UTF-8 all of it.
WHOLE_FOR_BROKEN = 4
ENCODED_SURROGATE = re.compile("\udced[\udca0-\udcbf][\udc80-\udcbf]")
ESCAPED = re.compile("[\udc80-\udcff]+")
TWO_BYTES_MAX = "\u07ff"
# Those in which no byte of a longer character looks like a quote, a comma or the end of a line, and UTF-16.
NAMES = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5hkscs",
    "big5hkscs": "big5hkscs",
    "cp950": "big5hkscs",
}
SHOWN = {"utf-8": "UTF-8", "gb18030": "GB18030", "big5hkscs": "Big5"}
CHINESE = ("gb18030", "big5hkscs")
REMEDY = "say which with --encoding (utf-8, gb18030, big5, utf-16), or save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')"


def shown(encoding: str) -> str:
    """The name as people write it."""
    return SHOWN.get(encoding, encoding.upper())


def named(given: str) -> str:
    """The encoding that --encoding names; raises ValueError with a sentence."""
    try:
        return NAMES[codecs.lookup(given.strip().replace("_", "-")).name.replace("_", "-")]
    except (LookupError, ValueError) as error:
        raise ValueError(f"--encoding {given!r} is not known here: write utf-8, gb18030, big5 or utf-16.") from error


def encoding_of(path: Path, chosen: str | None = None) -> str:
    """How the file is encoded; `chosen` is what a person says. Raises FileProblem."""
    marked = _marked(path)
    if chosen is not None and marked and not chosen.startswith(marked):
        raise FileProblem(f"{str(path)!r} begins with the mark of {shown(marked)}: leave out --encoding.")
    if marked == "utf-16" or (chosen or "").startswith("utf-16"):
        return "utf-16" if marked else chosen or "utf-16"
    if chosen is not None:
        return _checked(path, chosen)
    found = _utf8(path)
    _refuse_no_text(path, found)
    if found.is_utf8 and not (found.only_two_bytes and _survey(path, "gb18030").plausible):
        return "utf-8"
    return _chinese(path, found)


@dataclass
class _Utf8:
    """What a file is when it is read as UTF-8."""

    size: int = 0
    words: bool = False
    nuls: int = 0
    beyond_ascii: int = 0
    wide: int = 0
    broken: int = 0
    sample: bytearray = field(default_factory=bytearray)

    @property
    def is_utf8(self) -> bool:
        return WHOLE_FOR_BROKEN * self.broken <= self.beyond_ascii

    @property
    def only_two_bytes(self) -> bool:
        """Whether the few characters there are could as well be pairs of another encoding."""
        return 0 < self.beyond_ascii < FEW and not self.wide

    def add(self, raw: bytes, text: str) -> None:
        self.size += len(raw)
        self.nuls += raw.count(0)
        self.words = self.words or bool(text.strip())
        if text.isascii():
            return
        kept = ENCODED_SURROGATE.sub("", text)
        whole, broken = ESCAPED.subn("", kept)
        self.broken += broken
        beyond = whole.encode("ascii", "ignore")
        self.beyond_ascii += len(whole) - len(beyond)
        self.wide += max(whole, default="") > TWO_BYTES_MAX
        if len(self.sample) < SAMPLE_BYTES:
            lines = [line for line in raw.splitlines(keepends=True) if not line.isascii()]
            self.sample += b"".join(lines)[: SAMPLE_BYTES - len(self.sample)]


def _marked(path: Path) -> str | None:
    with opened(path) as (_, content):
        first = content.read(3)
    return "utf-8" if first == UTF_8_MARK else "utf-16" if first[:2] in UTF_16_MARKS else None


def _utf8(path: Path) -> _Utf8:
    """A character that the end of the file cuts off is not counted as broken: its row is refused later."""
    found = _Utf8()
    for raw, text in _decoded(path, "utf-8"):
        found.add(raw, text.removeprefix("\ufeff"))
        if found.broken > CERTAINLY_BROKEN and not found.is_utf8:
            break
    return found


def _decoded(path: Path, encoding: str) -> Iterator[tuple[bytes, str]]:
    """The file piece by piece; what is left of a character at the end of the file is left out."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    with opened(path) as (_, content):
        while raw := content.read(CHUNK):
            yield raw, decoder.decode(raw)


def _survey(path: Path, encoding: str, most: int | None = None) -> Survey:
    """What the file holds in this encoding, or its first `most` bytes."""
    survey, size = Survey(), 0
    for raw, text in _decoded(path, encoding):
        survey.add(text)
        size += len(raw)
        if most is not None and size >= most:
            break
    return survey


def _refuse_no_text(path: Path, found: _Utf8) -> None:
    if not found.words:
        raise FileProblem(f"{str(path)!r} is empty: write a first line with the columns' names, then a row a message.")
    if found.nuls > NUL_MAX * found.size:
        raise FileProblem(
            f"{str(path)!r} is full of NUL bytes ({found.nuls:,} of {found.size:,}): if it is UTF-16 without a mark, "
            "say --encoding utf-16-le, or save it as UTF-8; if it is no text, export it as CSV."
        )


def _checked(path: Path, chosen: str) -> str:
    found = Survey()
    size = 0
    for raw, text in _decoded(path, chosen):
        found.add(text)
        size += len(raw)
    if WHOLE_FOR_BROKEN * found.broken > found.hanzi + found.rare:
        raise FileProblem(
            f"{str(path)!r} is not {shown(chosen)}: {found.broken:,} bytes of it cannot be read so; "
            "leave out --encoding, or save the file as UTF-8."
        )
    if not size:
        raise FileProblem(f"{str(path)!r} is empty: write a first line with the columns' names, then a row a message.")
    return chosen


def _chinese(path: Path, found: _Utf8) -> str:
    """GB18030 or Big5, where the whole file reads as Chinese in one of them only and the detector finds it possible."""
    plausible = [name for name in CHINESE if _survey(path, name, FIRST_BYTES).plausible]
    if len(plausible) == 1 and _survey(path, plausible[0]).plausible and _possible(bytes(found.sample), plausible[0]):
        return plausible[0]
    whether = " or ".join(map(shown, plausible)) or "neither UTF-8 nor readable as GB18030 or Big5"
    doubt = f"may be {whether}" if plausible else f"is {whether}"
    raise FileProblem(f"The encoding of {str(path)!r} is not certain (it {doubt}): {REMEDY}.")


def _possible(sample: bytes, encoding: str) -> bool:
    """Whether charset-normalizer counts the encoding among the possible ones.

    On lines of a few characters it prefers Korean to GB18030 and Japanese to Big5, so its order says nothing there. It
    knows no encoding with a broken character, so it is asked about the lines without one.
    """
    from charset_normalizer import from_bytes

    whole = [line for line in sample.splitlines(keepends=True) if _is_whole(line, encoding)]
    return any(NAMES.get(match.encoding.replace("_", "-")) == encoding for match in from_bytes(b"".join(whole)))


def _is_whole(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
