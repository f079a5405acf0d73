"""Finds names of persons in Latin letters: after words that announce one, after titles, by a known given name, in pinyin."""

import re
from collections.abc import Iterator

from shared.masking.folding import Span
from shared.masking.known_names import LATIN_TITLE, LETTER
from shared.masking.name_words import FIRST_NAMES, NOBODY, NOT_A_NAME, PINYIN_GIVEN, PINYIN_SURNAMES, PLACE_WORDS

WORD = r"(?:[A-Z][\w'’\-]{0,39})"
INITIAL = r"(?:[A-Z]\.)"
NAME = (
    rf"(?P<it>(?:{INITIAL}|{WORD})(?:(?: (?:van|von|de|da|di|der|den|del|la|le|bin|al|el|ten))? ?(?:{INITIAL}|"
    rf"(?<=[. ]){WORD})){{0,3}})"
)
KIN = (
    "son|daughter|wife|husband|mother|father|mum|mom|dad|brother|sister|neighbou?r|friend|partner|landlord|"
    "landlady|child|"
    "uncle|aunt|grand(?:mother|father|son|daughter)|cousin|nephew|niece|colleague|tenant|roommate|flatmate|boss|"
    "teacher|fianc[eé]e?"
)
ROLE = (
    "name|full name|contact|contact person|resident|complainant|applicant|reporter|tenant|owner|sender|from|"
    "patient|victim|witness|"
    "author|signature|signed|signed by|sent by|written by|reported by|submitted by|attn|attention|client|"
    "customer|student|"
    "driver|passenger|employee|holder|caller|citizen|petitioner|claimant|guardian|parent|householder"
)
INTRODUCED = re.compile(
    rf"\b(?i:I am|I'm|I’m|Im|this is|it's|it is|we are|on behalf of|named|by the name of|the undersigned,?|"
    rf"undersigned:?|I,|me,|myself,|and I'm)"
    rf" {{1,2}}(?:(?i:{LATIN_TITLE})\.? )?{NAME}"
)
STATED = re.compile(
    rf"\b(?i:(?:my|his|her|the) (?:full |first |last |real )?name(?:'s|’s| is|:)|I am called|I'm called|I go by|"
    rf"known as|call(?:ed)? me|"
    rf"(?:my|our) (?:{KIN})(?: is| was|,| named| called|'s name is)?|(?:{ROLE}) ?[:：])"
    rf"[ \n]{{1,3}}(?:(?i:{LATIN_TITLE})\.? )?{NAME}"
)
# In small letters: only after words that announce a name.
SAID = re.compile(
    rf"(?:\bmy (?:full |first )?name(?: is|'s|’s|:)|\bi am called|\bname ?:|"
    rf"\bcalled? me) {{1,3}}(?:{LATIN_TITLE}\.? )?"
    rf"(?P<it>{LETTER}[\w'’\-]{{0,39}}(?: (?:{LETTER}\.(?= )|{LETTER}[\w'’\-]{{0,39}})){{0,3}})",
    re.IGNORECASE,
)
FAREWELL = re.compile(
    rf"\b(?i:sincerely(?: yours)?|(?:best |kind |warm |with )*regards|best(?: wishes)?|yours(?: truly| sincerely|"
    rf" faithfully| respectfully)?|faithfully|truly|"
    rf"respectfully(?: yours)?|cheers|thanks(?: again| in advance| a lot)?|many thanks|thank you|cordially|signed|"
    rf"love|gratefully|--|—)[,.!]?[ \n-]{{1,4}}"
    rf"(?:(?i:{LATIN_TITLE})\.? )?{NAME}"
)
TITLED = re.compile(rf"\b(?i:mr|mrs|ms|miss|mx|dr|prof|professor|sir|madam|mme|herr|frau)\b\.? ?(?:[A-Z]\. ?)*{NAME}")
GIVEN = re.compile(rf"(?<![\w.]){NAME}")
REVERSED = re.compile(rf"(?<!\w)(?P<it>{WORD}, ?(?P<first>[A-Z][a-z]{{1,20}})(?: [A-Z]\.)?)(?!\w)")
PINYIN = re.compile(
    r"(?<![A-Za-z])(?P<it>(?P<family>[A-Z][A-Za-z]{0,8})[ ,\-]{0,2}"
    r"(?P<given>[A-Z][a-z]{1,12}(?:[ \-]?[A-Za-z][a-z]{1,6})?))(?![A-Za-z])"
)
PINYIN_SAID = re.compile(
    r"(?:我叫|名叫|姓名|我是|本人|联系人|签名|署名|落款|拼音|"
    r"英文名)[ :是为叫(（]{0,3}(?P<it>[A-Za-z]{2,12}(?:[ '\-·.]{1,2}[A-Za-z]{1,12}){0,3})(?![A-Za-z0-9@])"
)
NOT_SAID = frozenset(
    [
        "app",
        "vip",
        "ok",
        "id",
        "qq",
        "wx",
        "vx",
        "it",
        "gps",
        "ktv",
        "a",
        "b",
        "c",
        "d",
        "e",
        "f",
        "g",
        "h",
        "i",
        "l",
        "m",
        "n",
        "o",
        "p",
        "q",
        "r",
        "s",
        "t",
        "u",
        "v",
        "w",
        "x",
        "y",
        "z",
    ]
)


def latin_name_spans(text: str) -> Iterator[Span]:
    """Finds names."""
    for found in SAID.finditer(text):
        if length := _words_of_name(found["it"]):
            yield found.start("it"), found.start("it") + length
    for pattern, fewest in ((INTRODUCED, 2), (STATED, 1), (FAREWELL, 2), (TITLED, 1)):
        for found in pattern.finditer(text):
            if length := _capitals(found["it"], fewest):
                yield found.start("it"), found.start("it") + length
    yield from _by_given_name(text)
    for found in PINYIN.finditer(text):
        if found["family"].lower() in PINYIN_SURNAMES and PINYIN_GIVEN.fullmatch(found["given"]):
            yield found.span("it")
    for found in PINYIN_SAID.finditer(text):
        if found["it"].lower() not in NOT_SAID and found["it"].lower().split()[0] not in NOT_A_NAME | NOBODY:
            yield found.span("it")


def _by_given_name(text: str) -> Iterator[Span]:
    """Finds two or more capitalised words, of which one is a given name and none is a place."""
    for found in GIVEN.finditer(text):
        words = found["it"].split()
        start = 0
        while start < len(words) and words[start].lower().strip(".'’") in NOT_A_NAME | NOBODY:
            start += 1
        words = words[start:]
        if len(words) > 1 and any(word.lower() in FIRST_NAMES for word in words) and not _place(words):
            at = found.start() + found["it"].index(words[0]) if start else found.start()
            yield at, found.end()
    for found in REVERSED.finditer(text):
        if found["first"].lower() in FIRST_NAMES and found["it"].split(",")[0].lower() not in NOT_A_NAME:
            yield found.span("it")


def _place(words: list[str]) -> bool:
    return any(word.lower().strip(".") in PLACE_WORDS for word in words[1:])


def _capitals(words: str, fewest: int) -> int:
    """Returns the length of the name at the start of capitalised words; 0 if they are no name."""
    length, count, known = 0, 0, False
    for found in re.finditer(r"\S+", words):
        word = found[0].lower().strip(".,'’")
        if word in NOT_A_NAME or word in NOBODY:
            break
        known = known or word in FIRST_NAMES
        length, count = found.end(), count + 1
    if count < fewest and not (count == 1 and known):
        return 0
    # Peter Park is a person only after words that announce a name.
    return 0 if _place(words[:length].split()) and not (count == 2 and known) else length


def _words_of_name(words: str) -> int:
    """Returns the length of the name at the start of these words; 0 if they are no name."""
    length = 0
    for found in re.finditer(r"\S+", words):
        if found[0].lower() in NOT_A_NAME or (length and words[0].isupper() and not found[0][0].isupper()):
            break
        length = found.end()
    return length
