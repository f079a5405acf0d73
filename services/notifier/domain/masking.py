"""What the hall may not show: numbers and addresses that reach a person, and the writer's name.

Text is folded first (full-width forms, strange spaces and hyphens, accents, invisible characters), so that each rule is
written once; what a rule finds is cut out of the text as it was written.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from services.notifier.domain.masked_names import name_spans
from services.notifier.domain.masked_numbers import Span, number_spans

MARK = "＊＊＊"
TICKET = re.compile(
    r"(?<![0-9A-Za-z])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])-[0-9A-HJKMNP-TV-Z]{8}(?:-p\d{1,3})?(?![0-9A-Za-z@])",
    re.IGNORECASE,
)
KEPT = "\ue000"
INVISIBLE = re.compile(
    r"[\u00ad\u0300-\u036f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u20e3\ufe00-\ufe0f\ufeff]"
)
DASHES = "‐‑‒–—―−﹣－ー─"
SPACES = "\t\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def mask(text: str, names: Sequence[str] = ()) -> str:
    """The text with everything that leads to a person replaced by one constant mark; `names` are the writer's.

    Masking what is masked changes nothing. Time grows with the length of the text and nothing else.
    """
    kept = [at for at, char in enumerate(text) if not INVISIBLE.match(char)] if INVISIBLE.search(text) else None
    visible = text if kept is None else "".join(text[at] for at in kept)
    plain = TICKET.sub(lambda found: KEPT * len(found[0]), visible.translate(FOLDED))
    spans = merged([*number_spans(plain), *name_spans(plain, [INVISIBLE.sub("", n).translate(FOLDED) for n in names])])
    if kept is not None:
        spans = [(kept[start], kept[end - 1] + 1) for start, end in spans]
    return cut(text, spans)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans in order; what overlaps or touches is one."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        elif end > start:
            whole.append((start, end))
    return whole


def cut(text: str, spans: Sequence[Span]) -> str:
    """The text with a mark in place of each span."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], MARK]
        at = end
    return "".join([*pieces, text[at:]])


def _folded() -> dict[int, str]:
    """One character for one character, so that places in the folded text are places in the text."""
    table = {code: form for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)) if (form := _unaccented(chr(code)))}
    for code in (*range(0x660, 0x1000), *range(0x2070, 0x2090), *range(0x2460, 0x2470), *range(0x1D7CE, 0x1D800)):
        digit = unicodedata.digit(chr(code), None)
        if digit is not None:
            table[code] = str(digit)
    table.update({code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)})
    table.update(dict.fromkeys(map(ord, DASHES), "-"))
    table.update(dict.fromkeys(map(ord, SPACES), " "))
    table[ord("×")] = "x"
    return table


def _unaccented(char: str) -> str | None:
    bare = [one for one in unicodedata.normalize("NFKD", char) if not unicodedata.combining(one)]
    return bare[0] if len(bare) == 1 and bare[0] != char else None


FOLDED = _folded()
