"""The language of a text that people wrote, for the `lang` attribute: screen readers and fonts depend on it."""

import re

from markupsafe import Markup

from shared.runtime.languages import Lang
from shared.web.layout import PAGE_LANGUAGES

PRINTABLE_ASCII = re.compile(r"[!-~]+")
"""Where an address may be. A pattern for addresses themselves would take seconds for 20,000 characters without a space."""
HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
CHARACTERS_A_WORD = 2
"""A Chinese word has about two characters: a street's Chinese name in an English sentence leaves it English."""


def language_of_text(text: str) -> Lang | None:
    """Chinese or English, whichever has more words; None for a text without words of either. Addresses do not count."""
    words = PRINTABLE_ASCII.sub(_without_address, text)
    chinese, english = len(HAN.findall(words)), len(WORD.findall(words)) * CHARACTERS_A_WORD
    if not chinese and not english:
        return None
    return "zh" if chinese >= english else "en"


def _without_address(found: re.Match[str]) -> str:
    return " " if "://" in found[0] or "@" in found[0] else found[0]


def language_attribute(text: str | None, page: Lang) -> Markup:
    """The attribute ` lang="…"` for a text in the other language than its page; empty for any other text."""
    found = language_of_text(text or "")
    return Markup("") if found is None or found == page else Markup(' lang="{}"').format(PAGE_LANGUAGES[found].tag)
