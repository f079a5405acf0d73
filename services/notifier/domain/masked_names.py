"""Where the writer's name stands: as given with the contact, and as the text itself states it; in folded text."""

import re
from collections.abc import Iterator, Sequence

from services.notifier.domain.masked_numbers import Span
from services.notifier.domain.name_words import (
    COMPOUND_SURNAMES,
    EVERYDAY,
    NOBODY,
    NOT_A_NAME,
    PLAIN_SURNAMES,
    SURNAMES,
)

CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
LETTER = "[A-Za-z\u00c0-\u1fff]"
PROPAGATED = 20
GAP = r"[ \n·・•.,'\-_*]{0,3}"
TITLE = r"(?:先生|女士|小姐|同志|师傅|老师|太太|夫人|阿姨|大爷|大妈|大姐|大哥|医生|某{1,2}(?![年月日天个种些人地]))"
LATIN_TITLE = r"(?:mr|mrs|ms|miss|mx|dr|prof|sir|madam|mme|herr|frau)"

SURNAME = f"(?:{'|'.join(sorted(COMPOUND_SURNAMES))}|[{SURNAMES}])"
PLAIN_SURNAME = f"(?:{'|'.join(sorted(COMPOUND_SURNAMES))}|[{PLAIN_SURNAMES}])"
GIVEN = r"(?: {0,2}[\u4e00-\u9fff])"
LABEL = (
    "(?:(?:姓名|署名|签名|落款|联系人|投诉人|反映人|反映者|举报人|申请人|来信人|诉求人|求助人|信访人|写信人|户主)"
    "(?: ?:|为|是)|"
    "(?:市民|业主|居民|村民) ?:)"
)
STATED = re.compile(
    rf"(?:我叫|我名叫|名叫|我的名字(?:叫|是)|本人(?:姓名|名叫|叫)|{LABEL}) ?(?P<it>{SURNAME}{GIVEN}{{1,2}})"
)
AFTER = (
    r"(?=[\s,，。.、;；:：!！?？()（）《》\[\]/\d<]|$|＊|"
    "是|系|男|女|家住|住|现|身份|电话|今年|手机|联系|来自|于|和|与)"
)
BARE = re.compile(rf"(?:本人|我是|敬礼)[ \n,，:：!！]{{0,4}}(?P<it>{PLAIN_SURNAME}{GIVEN}{{1,2}}?){AFTER}")
FAMILY = re.compile(rf"(?:本人|我|免贵)姓(?P<it>{SURNAME})")
NEVER_LAST = "是住系男女今的在有为现于因家和与要想也就不"
SAID = re.compile(
    rf"(?:\bmy (?:full |first )?name(?: is|'s|’s|:)|\bi am called|\bname ?:|\bcalled me) {{1,3}}(?:{LATIN_TITLE}\.? )?"
    rf"(?P<it>{LETTER}[\w'’\-]{{0,39}}(?: (?:{LETTER}\.(?= )|{LETTER}[\w'’\-]{{0,39}})){{0,3}})",
    re.IGNORECASE,
)
INTRODUCED = rf"\b(?i:I am|I'm|I’m|this is) (?:(?i:{LATIN_TITLE})\.? )?"
FAREWELL = r"\b(?i:sincerely|regards|faithfully|truly|respectfully|cheers),?[ \n]{1,4}"
SIGNED = re.compile(
    rf"(?:{INTRODUCED}|{FAREWELL})(?P<it>(?:[A-Z]\.|[A-Z][\w'’\-]{{1,39}})(?: ?(?:[A-Z]\.|[A-Z][\w'’\-]{{1,39}})){{1,3}})"
)


def name_spans(text: str, names: Sequence[str]) -> Iterator[Span]:
    """Where a name of the writer stands; of the names the text states, the first ones are looked for everywhere."""
    stated = list(stated_spans(text))
    yield from stated
    known = dict.fromkeys([*names, *(text[start:end] for start, end in stated[:PROPAGATED])])
    for pattern in dict.fromkeys(pattern for name in known for pattern in patterns(name)):
        yield from (found.span("it") for found in pattern.finditer(text))


# ── names the text states ────────────────────────────────────────────────────


def stated_spans(text: str) -> Iterator[Span]:
    """Names the writer gives in the text: 我叫…, my name is …, a signature."""
    for found in STATED.finditer(text):
        yield found.start("it"), found.end("it") - _too_far(found["it"])
    for pattern in (BARE, FAMILY, SIGNED):
        yield from (found.span("it") for found in pattern.finditer(text) if found["it"].lower() not in NOBODY)
    for found in SAID.finditer(text):
        if length := _words_of_name(found["it"]):
            yield found.start("it"), found.start("it") + length


def _too_far(name: str) -> int:
    """How many characters at the end belong to the sentence rather than to the name."""
    whole = name.replace(" ", "")
    return 1 if len(whole) > 2 and whole[-1] in NEVER_LAST else 0


def _words_of_name(words: str) -> int:
    """The length of the name at the start of these words; 0 when it is none."""
    length = 0
    for found in re.finditer(r"\S+", words):
        if found[0].lower() in NOT_A_NAME or (length and words[0].isupper() and not found[0][0].isupper()):
            break
        length = found.end()
    return length


# ── names that are known ─────────────────────────────────────────────────────


def patterns(name: str) -> Iterator[re.Pattern[str]]:
    """What to look for, given one name as its bearer typed it: each script for itself."""
    for han in re.findall(rf"[{CJK}]+(?:[·・•.][{CJK}]+)*", name):
        yield from han_patterns(han)
    words = [word for word in re.findall(rf"{LETTER}+(?:['’\-]{LETTER}+)*", name) if word.lower() not in NOBODY]
    words = [word for word in words if not re.fullmatch(LATIN_TITLE, word, re.IGNORECASE)]
    if words:
        yield from latin_patterns(words)
    yield from (re.compile(rf"(?<!\d)(?P<it>{number})(?!\d)") for number in re.findall(r"\d{5,}", name))


def han_patterns(name: str) -> Iterator[re.Pattern[str]]:
    """The whole name, its characters apart or not, and the surname before a title."""
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
    """The whole name in both orders, each part after a title, and each part alone unless it is an everyday word."""
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
