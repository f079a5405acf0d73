"""What commands show: every line passes here, where no character can steer the terminal or hide."""

import json
import re
from typing import Any, TextIO

# Control characters (C0, DEL, C1), everything that is zero-width or sets the writing direction, line and paragraph
# separators, fillers that look like a space, tags, and half surrogate pairs.
_RANGES = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
UNSEEN = re.compile(f"[{_RANGES}]")
# The lines of a sentence that go on with an indented list are its own; other line breaks came with foreign text.
FOREIGN_BREAK = re.compile(r"\n(?!  )")
DELETE = 0x7F
PICTURES = 0x2400
DELETE_PICTURE = 0x2421


def visible(text: str) -> str:
    """The text as one line: ESC is ␛, a line break ␊, a right-to-left override <U+202E>."""
    return UNSEEN.sub(lambda found: _shown(ord(found[0])), text)


def sentence_lines(sentence: str) -> list[str]:
    """A sentence, and the indented lines of its list where it has one."""
    return FOREIGN_BREAK.sub("␊", sentence).split("\n")


def write_lines(stream: TextIO, *lines: str) -> None:
    """Write each line; what the stream's encoding cannot carry is written as an escape."""
    text = "".join(f"{visible(line)}\n" for line in lines)
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def write_json(stream: TextIO, document: Any) -> None:
    """Write a document as one line: its values are exact, what no screen can show is escaped as JSON does."""
    plain = (stream.encoding or "utf-8").lower().replace("-", "") != "utf8"
    text = json.dumps(document, ensure_ascii=plain, default=str)
    stream.write(UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text) + "\n")
    stream.flush()


def _shown(code: int) -> str:
    if code < ord(" "):
        return chr(PICTURES + code)
    return chr(DELETE_PICTURE) if code == DELETE else f"<U+{code:04X}>"
