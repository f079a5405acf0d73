"""Finds known names in folded text: the writer's name from the contact, and names that the texts state."""

import re
from collections.abc import Iterator, Sequence

from shared.masking.name_words import COMPOUND_SURNAMES, EVERYDAY, NOBODY, SURNAMES

CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
LETTER = "[A-Za-z\u00c0-\u1fff]"
GAP = r"[ \n·・•.,'\-_*]{0,3}"
TITLE = (
    r"(?:先生|女士|小姐|同志|师傅|老师|太太|夫人|阿姨|大爷|大妈|大姐|大哥|大叔|大娘|大伯|奶奶|爷爷|婆婆|老人|医生|"
    r"某{1,2}(?![年月日天个种些人地]))"
)
LATIN_TITLE = r"(?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|madam|mme|herr|frau)"


def patterns(name: str) -> Iterator[re.Pattern[str]]:
    """Returns the patterns of a name as its owner typed it, for each script separately."""
    for han in re.findall(rf"[{CJK}]+(?:[·・•.][{CJK}]+)*", name):
        yield from han_patterns(han)
    words = [word for word in re.findall(rf"{LETTER}+(?:['’\-]{LETTER}+)*", name) if word.lower() not in NOBODY]
    words = [word for word in words if not re.fullmatch(LATIN_TITLE, word, re.IGNORECASE)]
    if words:
        yield from latin_patterns(words)
    yield from (re.compile(rf"(?<!\d)(?P<it>{number})(?!\d)") for number in re.findall(r"\d{5,}", name))


def han_patterns(name: str) -> Iterator[re.Pattern[str]]:
    """Matches the whole name, with or without gaps between its characters, and the surname before a title."""
    bare = re.sub(rf"{TITLE}$", "", name)
    if name in NOBODY or bare in NOBODY or not bare:
        return
    characters = [char for char in bare if re.match(f"[{CJK}]", char)]
    if len(characters) > 1:
        yield re.compile(f"(?P<it>{GAP.join(map(re.escape, characters))})")
    surname = bare[:2] if bare[:2] in COMPOUND_SURNAMES else bare[0]
    if surname in COMPOUND_SURNAMES or surname in SURNAMES or len(characters) == 1:
        yield re.compile(f"(?P<it>{re.escape(surname)}) ?{TITLE}")
    if parts := re.split(r"[·・•.]", bare)[1:]:
        first = bare[: -len(parts[-1]) - 1]
        yield from (re.compile(f"(?P<it>{re.escape(part)})") for part in (first, *parts) if len(part) > 1)


def latin_patterns(words: Sequence[str]) -> Iterator[re.Pattern[str]]:
    """Matches the name in both orders, each part after a title, and each part alone unless it is an everyday word."""
    for order in dict.fromkeys((tuple(words), tuple(reversed(words)), (words[-1], *words[:-1]))):
        if len(order) > 1 or _telling(order[0]):
            yield _bounded(f"(?i:{'(?:[ _-]{0,2}|, ?)'.join(map(re.escape, order))})")
    for word in words:
        yield re.compile(rf"(?<!{LETTER})(?i:{LATIN_TITLE}\.? ?(?P<it>{re.escape(word)}))(?!{LETTER})")
        if _telling(word):
            yield _bounded(f"(?i:{re.escape(word)})")
        elif len(word) > 2 or len(words) == 1:
            yield _bounded("|".join({re.escape(word.capitalize()), re.escape(word.upper())}))


def _telling(word: str) -> bool:
    return len(word) > 2 and word.lower() not in EVERYDAY


def _bounded(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!{LETTER})(?P<it>{pattern})(?!{LETTER})")
